package report

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// readText reads a table with the names of the columns in the first line.
func (c Columns) readText(path string) (*frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return c.decodeText(file)
}

func (c Columns) decodeText(r io.Reader) (*frame, error) {
	t := newTextReader(r)
	head, err := t.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	p, err := c.plan(head)
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	for {
		row, err := t.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := t.FieldPos(0)
		if len(row) != len(head) {
			return nil, fmt.Errorf("line %d: %d columns, want %d as in the first line", line, len(row), len(head))
		}
		p.lines = append(p.lines, line)
		if err := p.add(row); err != nil {
			return nil, fmt.Errorf("line %d, %w", line, err)
		}
	}
	return p.frame()
}

// newTextReader finds out what separates the columns, and steps over the byte order mark that spreadsheets write and the
// comment sign that numpy.savetxt writes before the names.
func newTextReader(r io.Reader) *csv.Reader {
	b := bufio.NewReaderSize(r, 1<<16)
	start, _ := b.Peek(1 << 16)
	skip := 0
	for _, prefix := range []string{"\ufeff", "#", " "} {
		if strings.HasPrefix(string(start[skip:]), prefix) {
			skip += len(prefix)
		}
	}
	b.Discard(skip) // no more than was peeked
	first, _, _ := strings.Cut(string(start), "\n")
	t := csv.NewReader(b)
	most := strings.Count(first, ",")
	for _, separator := range ";\t" {
		if n := strings.Count(first, string(separator)); n > most {
			t.Comma, most = separator, n
		}
	}
	t.FieldsPerRecord = -1 // checked with a better message
	t.TrimLeadingSpace = t.Comma != '\t'
	return t
}

// textPlan collects the cells of a text by the meaning of their column.
type textPlan struct {
	head    []string
	roles   []role
	numbers []*vector // by column; nil for groups and columns left out
	text    [][]string
	classes map[role][]int // column of each class
	lines   []int          // line of each row
}

func (c Columns) plan(head []string) (*textPlan, error) {
	p := &textPlan{roles: make([]role, len(head)), numbers: make([]*vector, len(head)), text: make([][]string, len(head)), classes: map[role][]int{}}
	byClass := map[role]map[int]int{roleProbability: {}, roleLogit: {}}
	seen, named := map[string]bool{}, false
	for j, name := range head {
		name = strings.TrimSpace(name)
		p.head = append(p.head, name)
		if _, err := strconv.ParseFloat(name, 64); err != nil {
			named = true
		}
		if seen[name] && name != "" {
			return nil, fmt.Errorf("two columns are called %s", name)
		}
		seen[name] = true
		r, class := c.roleOf(name)
		p.roles[j] = r
		if r != roleGroup && r != roleNone {
			p.numbers[j] = &vector{name: name}
		}
		if of := byClass[r]; of != nil {
			if _, twice := of[class]; twice || class < 0 {
				return nil, fmt.Errorf("column %s: a column of probabilities or logits is called prob_0, logit_0 and so on, each once", name)
			}
			of[class] = j
		}
	}
	if !named {
		return nil, errors.New("it holds numbers, not the names of columns; put for example confidence,correct there")
	}
	for r, of := range byClass {
		for class := range len(of) {
			j, ok := of[class]
			if !ok {
				return nil, fmt.Errorf("there are %d columns of probabilities or logits but none of class %d", len(of), class)
			}
			p.classes[r] = append(p.classes[r], j)
		}
	}
	return p, c.checkNamed(p.head)
}

func (p *textPlan) add(row []string) error {
	for j, cell := range row {
		cell = strings.TrimSpace(cell)
		switch {
		case p.roles[j] == roleGroup:
			p.text[j] = append(p.text[j], cell)
		case p.numbers[j] != nil:
			v, err := parseCell(p.roles[j], cell)
			if err != nil {
				return fmt.Errorf("column %s: %w", p.head[j], err)
			}
			p.numbers[j].values = append(p.numbers[j].values, v)
		}
	}
	return nil
}

func parseCell(r role, cell string) (float64, error) {
	if r == roleCorrect {
		switch strings.ToLower(cell) {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
	}
	v, err := strconv.ParseFloat(cell, 64)
	switch {
	case cell == "":
		return 0, errors.New("there is no value")
	case err != nil && r == roleScore:
		return 0, fmt.Errorf("%.40q is not a number; if the column is no score, say which ones are", cell)
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a number", cell)
	}
	return v, nil
}

func (p *textPlan) frame() (*frame, error) {
	f := &frame{rows: len(p.lines), groups: Grouping{}}
	f.where = func(row int, column string) string { return fmt.Sprintf("line %d, column %s", p.lines[row], column) }
	for j, r := range p.roles {
		switch r {
		case roleGroup:
			f.groups[p.head[j]] = p.text[j]
		case roleScore, roleLabel, rolePred, roleCorrect:
			if err := f.put(r, p.numbers[j]); err != nil {
				return nil, err
			}
		}
	}
	f.probs, f.logits = p.matrix(roleProbability), p.matrix(roleLogit)
	return f, nil
}

// matrix joins the columns of the classes.
func (p *textPlan) matrix(r role) *matrix64 {
	columns := p.classes[r]
	if len(columns) == 0 {
		return nil
	}
	m := &matrix64{name: p.head[columns[0]] + "...", classes: len(columns)}
	for i := range p.lines {
		for _, j := range columns {
			m.values = append(m.values, p.numbers[j].values[i])
		}
	}
	return m
}
