package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// help writes the flags by group.
func help(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Trains an image classifier and writes its weights.\n\n" +
		"usage: train [--recipe NAME] [flags]\n       train --recipes\n")
	groups := reflect.TypeFor[options]()
	for i := range groups.NumField() {
		g := groups.Field(i)
		if title := g.Tag.Get("title"); title != "" {
			fmt.Fprintf(&b, "\n%s:\n", title)
			for j := range g.Type.NumField() {
				helpFlag(&b, g.Type.Field(j))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// helpFlag writes the help of a flag.
func helpFlag(b *strings.Builder, f reflect.StructField) {
	name := f.Tag.Get("arg")
	if p := f.Tag.Get("placeholder"); p != "" {
		name += " " + p
	} else if t := f.Type; t.Kind() != reflect.Bool && !(t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Bool) {
		name += " " + strings.ToUpper(strings.TrimPrefix(f.Tag.Get("arg"), "--"))
	}
	text := f.Tag.Get("help")
	if d := f.Tag.Get("default"); d != "" {
		text += fmt.Sprintf(" [default: %s]", d)
	}
	const indent, width = 30, 116
	lines := wrap(text, width-indent)
	if len(name) > indent-4 {
		fmt.Fprintf(b, "  %s\n", name)
		name = ""
	}
	for _, line := range lines {
		fmt.Fprintf(b, "  %-*s%s\n", indent-2, name, line)
		name = ""
	}
}

// wrap breaks a text into lines of so many characters at most.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
