package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a figure may consist of: nothing that runs, loads or reaches out of it.
var svgElements = strings.Fields(`svg g path rect circle ellipse line polyline polygon text tspan defs clipPath mask
	linearGradient radialGradient stop pattern marker symbol use image title desc`)

// widest is the width in points up to which two figures stand side by side.
const widest = 330

// inlineSVG returns an SVG document so that it can stand in HTML: as one element without a declaration, whose ids start
// with prefix, so that those of several figures differ, and which is read out as label. It also tells whether the figure
// is wide.
func inlineSVG(doc []byte, prefix, label string) (out template.HTML, wide bool, err error) {
	s := &svgWriter{prefix: prefix, label: label}
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.write(token)
		}
		if err != nil {
			return "", false, fmt.Errorf("not a figure: %w", err)
		}
	}
	if len(s.open) > 0 || !s.done {
		return "", false, errors.New("not a figure: want one whole svg element")
	}
	return template.HTML(s.b.String()), s.width > widest, nil
}

// svgWriter writes the tokens of a document.
type svgWriter struct {
	b             strings.Builder
	prefix, label string
	open          []string // elements that are not closed yet
	done          bool     // the root is closed
	width         float64  // of the figure, in points
}

func (s *svgWriter) write(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return s.start(t)
	case xml.EndElement:
		if len(s.open) == 0 || s.open[len(s.open)-1] != t.Name.Local {
			return fmt.Errorf("</%.40s> closes nothing", t.Name.Local)
		}
		s.open = s.open[:len(s.open)-1]
		s.done = len(s.open) == 0
		s.b.WriteString("</" + t.Name.Local + ">")
	case xml.CharData:
		if len(s.open) > 0 {
			s.b.WriteString(html.EscapeString(string(t)))
		} else if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("there is text outside the svg element")
		}
	}
	return nil // comments, declarations and the document type are left out
}

func (s *svgWriter) start(e xml.StartElement) error {
	root := len(s.open) == 0
	switch {
	case e.Name.Space != "" || !slices.Contains(svgElements, e.Name.Local):
		return fmt.Errorf("element <%.40s> has no place in a figure", e.Name.Local)
	case root && (e.Name.Local != "svg" || s.done):
		return fmt.Errorf("<%.40s> stands beside or instead of the svg element", e.Name.Local)
	}
	s.open = append(s.open, e.Name.Local)
	s.b.WriteString("<" + e.Name.Local)
	if root {
		if err := s.root(e.Attr); err != nil {
			return err
		}
	}
	for _, a := range e.Attr {
		if root && slices.Contains([]string{"width", "height", "viewBox", "style", "role", "preserveAspectRatio"}, a.Name.Local) {
			continue
		}
		if err := s.attribute(a); err != nil {
			return err
		}
	}
	s.b.WriteString(">")
	return nil
}

// root writes what the outermost element has: its shape, the room it wants, and what it is.
func (s *svgWriter) root(attributes []xml.Attr) error {
	box := ""
	for _, a := range attributes {
		if a.Name.Local == "viewBox" {
			box = a.Value
		}
	}
	f := strings.FieldsFunc(box, func(r rune) bool { return r == ' ' || r == ',' })
	var v [4]float64
	if len(f) != 4 {
		return fmt.Errorf("viewBox %.40q: want four numbers", box)
	}
	for i := range v {
		var err error
		if v[i], err = strconv.ParseFloat(f[i], 64); err != nil || i > 1 && !(v[i] > 0 && v[i] < 1e5) {
			return fmt.Errorf("viewBox %.40q: want four numbers, the last two a size", box)
		}
	}
	s.width = v[2]
	// A point is 4/3 of a pixel. Smaller than that its text is hard to read, and much larger it looks clumsy.
	s.put("viewBox", strings.Join(f, " "))
	s.put("style", fmt.Sprintf("min-width:%.0fpx;max-width:%.0fpx", v[2]*4/3, v[2]*2))
	s.put("role", "img")
	s.put("aria-label", s.label)
	return nil
}

// reference is a place in an attribute that refers to something.
var reference = regexp.MustCompile(`(?i)url\(\s*['"]?\s*([^)]?)`)

// attribute writes an attribute unless the namespace is all that it declares.
func (s *svgWriter) attribute(a xml.Attr) error {
	name, value := a.Name.Local, a.Value
	if a.Name.Space == "xmlns" || name == "xmlns" || a.Name.Space == "xml" {
		return nil
	}
	if strings.HasPrefix(strings.ToLower(name), "on") {
		return fmt.Errorf("attribute %.40s is a script", name)
	}
	for _, m := range reference.FindAllStringSubmatch(value, -1) {
		if m[1] != "#" {
			return fmt.Errorf("attribute %.40s refers to another file", name)
		}
	}
	value = strings.ReplaceAll(value, "url(#", "url(#"+s.prefix)
	switch name {
	case "id":
		value = s.prefix + value
	case "class": // the page has classes of its own
		return nil
	case "href", "src":
		switch {
		case strings.HasPrefix(value, "#"):
			value = "#" + s.prefix + value[1:]
		case !strings.HasPrefix(value, "data:image/png;base64,") && !strings.HasPrefix(value, "data:image/jpeg;base64,"):
			return fmt.Errorf("attribute %s refers to another file", name)
		}
	}
	s.put(name, value)
	return nil
}

func (s *svgWriter) put(name, value string) {
	s.b.WriteString(" " + name + `="` + html.EscapeString(value) + `"`)
}
