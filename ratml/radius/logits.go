package radius

import "math"

// argmax returns the index of the first largest value.
func argmax(z []float32) int {
	m := 0
	for j, v := range z {
		if v > z[m] {
			m = j
		}
	}
	return m
}

// top2 returns the two largest of z.
func top2(z []float32) (first, second float64) {
	first, second = math.Inf(-1), math.Inf(-1)
	for _, v := range z {
		switch v := float64(v); {
		case v > first:
			first, second = v, first
		case v > second:
			second = v
		}
	}
	return first, second
}

// softMargin returns z_1 - logsumexp(z_2..z_K) at logits over temperature.
func softMargin(z []float32, temperature float64) float64 {
	m := argmax(z)
	_, second := top2(z)
	sum := 0.0
	for j, v := range z {
		if j != m {
			sum += math.Exp((float64(v) - second) / temperature)
		}
	}
	return (float64(z[m])-second)/temperature - math.Log(sum)
}

// margins returns by how much the logit of a class exceeds each other one.
func margins(z []float32, class int) []float64 {
	m := make([]float64, 0, len(z)-1)
	for j, v := range z {
		if j != class {
			m = append(m, float64(z[class])-float64(v))
		}
	}
	return m
}
