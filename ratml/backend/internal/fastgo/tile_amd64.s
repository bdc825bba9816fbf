#include "textflag.h"

// One row of the tile: broadcast a[row+k] and multiply it with 16 columns.
#define ROW(ptr, tmp, lo, hi) \
	VBROADCASTSS (ptr)(R14*4), tmp \
	VFMADD231PS  Y0, tmp, lo       \
	VFMADD231PS  Y1, tmp, hi

// The address of row i of A.
#define ADDRESS(i, ptr) \
	MOVLQSX (4*i)(DI), ptr   \
	LEAQ    (AX)(ptr*4), ptr

// Store row i of the tile at dst+out[i].
#define STORE(i, lo, hi) \
	MOVLQSX (4*i)(DI), R14      \
	VMOVUPS lo, (AX)(R14*4)     \
	VMOVUPS hi, 32(AX)(R14*4)

// Add row i of the tile to what is there.
#define ADD(i, lo, hi) \
	MOVLQSX (4*i)(DI), R14            \
	VADDPS  (AX)(R14*4), lo, lo       \
	VADDPS  32(AX)(R14*4), hi, hi     \
	VMOVUPS lo, (AX)(R14*4)           \
	VMOVUPS hi, 32(AX)(R14*4)

// func tileFMA(k int, cols, rows *int32, a, b *float32, row int, dst *float32, out *int32, add bool)
TEXT ·tileFMA(SB), NOSPLIT, $0-65
	MOVQ k+0(FP), CX
	MOVQ cols+8(FP), SI
	MOVQ rows+16(FP), DI
	MOVQ a+24(FP), AX
	MOVQ b+32(FP), BX
	MOVQ row+40(FP), DX
	SHLQ $2, DX

	ADDRESS(0, R8)
	ADDRESS(1, R9)
	ADDRESS(2, R10)
	ADDRESS(3, R11)
	ADDRESS(4, R12)
	ADDRESS(5, R13)

	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	VXORPS Y12, Y12, Y12
	VXORPS Y13, Y13, Y13
	VXORPS Y14, Y14, Y14
	VXORPS Y15, Y15, Y15

term:
	MOVLQSX (SI), R14
	VMOVUPS (BX), Y0
	VMOVUPS 32(BX), Y1
	ROW(R8, Y2, Y4, Y5)
	ROW(R9, Y3, Y6, Y7)
	ROW(R10, Y2, Y8, Y9)
	ROW(R11, Y3, Y10, Y11)
	ROW(R12, Y2, Y12, Y13)
	ROW(R13, Y3, Y14, Y15)
	ADDQ    $4, SI
	ADDQ    DX, BX
	DECQ    CX
	JNZ     term

	MOVQ    dst+48(FP), AX
	MOVQ    out+56(FP), DI
	MOVBLZX add+64(FP), CX
	TESTL   CX, CX
	JNZ     accumulate

	STORE(0, Y4, Y5)
	STORE(1, Y6, Y7)
	STORE(2, Y8, Y9)
	STORE(3, Y10, Y11)
	STORE(4, Y12, Y13)
	STORE(5, Y14, Y15)
	VZEROUPPER
	RET

accumulate:
	ADD(0, Y4, Y5)
	ADD(1, Y6, Y7)
	ADD(2, Y8, Y9)
	ADD(3, Y10, Y11)
	ADD(4, Y12, Y13)
	ADD(5, Y14, Y15)
	VZEROUPPER
	RET
