package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// event is a message Event.
type event struct {
	time    float64 // seconds since 1970
	step    int64
	version string // of the format, in the first event of a file
	start   bool   // a session starts
	value   []byte // a message Summary.Value; nil for none
}

// marshal returns the message, its fields in the order of their numbers.
func (e event) marshal() []byte {
	var b []byte
	b = protowire.AppendTag(b, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(e.time))
	if e.step != 0 {
		b = number(b, 2, uint64(e.step))
	}
	if e.version != "" {
		b = str(b, 3, e.version)
	}
	if e.value != nil {
		b = message(b, 5, message(nil, 1, e.value))
	}
	if e.start {
		b = message(b, 7, number(nil, 1, 1)) // SessionLog.START
	}
	return b
}

// scalar returns a Summary.Value of a number.
func scalar(tag string, v float32) []byte {
	b := str(nil, 1, tag)
	b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, math.Float32bits(v))
}

// text returns a Summary.Value of a text: a tensor of one string for TensorBoard's plugin "text".
func text(tag, s string) []byte {
	const dtString = 7
	shape := message(nil, 2, number(nil, 1, 1)) // one dimension of size 1
	tensor := str(message(number(nil, 1, dtString), 2, shape), 8, s)
	metadata := message(nil, 1, str(nil, 1, "text"))
	return message(message(str(nil, 1, tag+"/text_summary"), 8, tensor), 9, metadata)
}

func number(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func str(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

// record frames data: its length, the length's checksum, data, its checksum.
func record(data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, checksum(b))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, checksum(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the format's masked CRC-32C.
func checksum(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
