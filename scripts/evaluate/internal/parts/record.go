package parts

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const recordName = "run.json"

// Record is what run.json says of a finished run: what its scores depend on, and the parameters that were fitted.
type Record struct {
	Manifest Manifest  `json:"run"`
	Fitted   [][]Score `json:"fitted"` // of each split
}

// WriteRecord writes run.json to the output folder out.
func WriteRecord(out string, m Manifest, splits []Split) error {
	r := Record{Manifest: m}
	r.Manifest.Format = formatVersion
	for _, s := range splits {
		r.Fitted = append(r.Fitted, s.Fitted)
	}
	return writeJSON(filepath.Join(out, recordName), r)
}

// ReadRecord reads run.json from the output folder out.
func ReadRecord(out string) (*Record, error) {
	var r Record
	if err := readJSON(filepath.Join(out, recordName), &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// RemoveRecord removes run.json from the output folder out, where it is: the files beside it are about to change.
func RemoveRecord(out string) error {
	err := os.Remove(filepath.Join(out, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
