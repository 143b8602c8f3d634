#include "textflag.h"

// Of a string, a byte stops the run where it is a quote, a control character or a backslash. With
// bit 1 turned, a quote is the one byte above the control characters that is not above 0x20.

// STOPS puts a bit for each of 16 bytes in X into R; A and B are scratch.
#define STOPS(X, A, B, R) \
	MOVO     X, A     \
	PXOR     X8, A    \
	MOVO     A, B     \
	PMINUB   X9, B    \
	PCMPEQB  A, B     \
	PCMPEQB  X10, X   \
	POR      B, X     \
	PMOVMSKB X, R

// BYTES fills X with the byte of which EIGHT has eight.
#define BYTES(EIGHT, X) \
	MOVQ       EIGHT, CX \
	MOVQ       CX, X     \
	PUNPCKLQDQ X, X

// func stopMaskSSE2(b []byte, i int) (at int, mask uint64, ascii bool)
TEXT ·stopMaskSSE2(SB), NOSPLIT, $0-49
	MOVQ b_base+0(FP), SI
	MOVQ b_len+8(FP), DX
	MOVQ i+24(FP), AX
	SUBQ $64, DX
	BYTES($0x0202020202020202, X8)
	BYTES($0x2020202020202020, X9)
	BYTES($0x5c5c5c5c5c5c5c5c, X10)
	PXOR X11, X11 // all bytes seen, for their highest bits
	XORL R8, R8

block:
	CMPQ  AX, DX
	JGT   done
	MOVOU (SI)(AX*1), X0
	MOVOU 16(SI)(AX*1), X1
	MOVOU 32(SI)(AX*1), X2
	MOVOU 48(SI)(AX*1), X3
	MOVO  X0, X4
	POR   X1, X4
	MOVO  X2, X5
	POR   X3, X5
	POR   X4, X11
	POR   X5, X11
	STOPS(X0, X4, X5, R8)
	STOPS(X1, X6, X7, R9)
	STOPS(X2, X4, X5, R10)
	STOPS(X3, X6, X7, R11)
	SHLQ  $16, R9
	SHLQ  $32, R10
	SHLQ  $48, R11
	ORQ   R9, R8
	ORQ   R11, R10
	ORQ   R10, R8
	JNE   done
	ADDQ  $64, AX
	JMP   block

done:
	MOVQ     AX, at+32(FP)
	MOVQ     R8, mask+40(FP)
	PMOVMSKB X11, CX
	TESTL    CX, CX
	SETEQ    ascii+48(FP)
	RET

// WIDE fills Y, whose lower half is X, with the byte of which EIGHT has eight. A MOVQ that is not one
// of AVX's would cost hundreds of cycles, as the upper halves of others are in use.
#define WIDE(EIGHT, X, Y) \
	MOVQ         EIGHT, CX \
	VMOVQ        CX, X     \
	VPBROADCASTQ X, Y

// func stopMaskAVX2(b []byte, i int) (at int, mask uint64, ascii bool)
TEXT ·stopMaskAVX2(SB), NOSPLIT, $0-49
	MOVQ  b_base+0(FP), SI
	MOVQ  b_len+8(FP), DX
	MOVQ  i+24(FP), AX
	SUBQ  $64, DX
	WIDE($0x0202020202020202, X8, Y8)
	WIDE($0x2020202020202020, X9, Y9)
	WIDE($0x5c5c5c5c5c5c5c5c, X10, Y10)
	VPXOR Y11, Y11, Y11
	XORL  R8, R8

block:
	CMPQ      AX, DX
	JGT       done
	VMOVDQU   (SI)(AX*1), Y0
	VMOVDQU   32(SI)(AX*1), Y1
	VPOR      Y0, Y11, Y11
	VPOR      Y1, Y11, Y11
	VPXOR     Y8, Y0, Y2
	VPXOR     Y8, Y1, Y3
	VPMINUB   Y9, Y2, Y4
	VPMINUB   Y9, Y3, Y5
	VPCMPEQB  Y2, Y4, Y4
	VPCMPEQB  Y3, Y5, Y5
	VPCMPEQB  Y10, Y0, Y0
	VPCMPEQB  Y10, Y1, Y1
	VPOR      Y4, Y0, Y0
	VPOR      Y5, Y1, Y1
	VPOR      Y0, Y1, Y2
	VPMOVMSKB Y2, R8
	TESTL     R8, R8
	JNE       found
	ADDQ      $64, AX
	JMP       block

found:
	VPMOVMSKB Y0, R8
	VPMOVMSKB Y1, R9
	SHLQ      $32, R9
	ORQ       R9, R8

done:
	MOVQ      AX, at+32(FP)
	MOVQ      R8, mask+40(FP)
	VPMOVMSKB Y11, CX
	TESTL     CX, CX
	SETEQ     ascii+48(FP)
	VZEROUPPER
	RET
