package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/report"
)

// draw writes the figures that are wanted with their data, shows and writes the leaderboard, and returns the names of
// the files that people look at. Of stored runs it draws what they are good for, unless figures are named.
func draw(ctx context.Context, o options, m *material, stdout, stderr io.Writer) ([]string, error) {
	if err := m.judge(ctx, o); err != nil {
		return nil, err
	}
	var files []string
	if o.wants(board) {
		if err := tables(o, m, stdout); err != nil {
			return nil, err
		}
		files = append(files, board+".md")
	}
	for _, d := range gallery() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !o.wants(d.name) {
			continue
		}
		fig, err := d.figure(o, m)
		if err != nil && len(o.From) > 0 && len(o.Only) == 0 {
			fmt.Fprintf(stderr, "%s is not drawn: %v\n", d.name, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		for _, format := range o.Formats {
			file := d.name + "." + format
			if err := fig.Save(filepath.Join(o.Out, file)); err != nil {
				return nil, err
			}
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("nothing could be drawn")
	}
	return files, nil
}

func (d drawing) figure(o options, m *material) (*figures.Figure, error) {
	if err := m.without(d.needs); err != nil {
		return nil, err
	}
	fig, err := d.draw(m, figures.Options{Size: sizes[o.Size], Seed: o.Seed, Command: o.command()})
	if err != nil {
		return nil, err
	}
	fig.Theme = themes[o.Theme]
	return fig, nil
}

// tables shows the leaderboard, and writes it as Markdown, CSV and JSON.
func tables(o options, m *material, stdout io.Writer) error {
	var all interface {
		fmt.Stringer
		Save(path string) error
	} = m.reports[0]
	if len(m.reports) > 1 {
		var err error
		if all, err = report.Compare(m.reports...); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(stdout, all); err != nil {
		return err
	}
	for _, ending := range []string{".md", ".csv", ".json"} {
		if err := all.Save(filepath.Join(o.Out, board+ending)); err != nil {
			return err
		}
	}
	return nil
}
