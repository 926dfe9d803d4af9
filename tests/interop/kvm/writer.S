/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A ROM of 64 KiB: one processor that writes to pages when it is told to. It
 * needs no device, no interrupt and no kernel, so it runs wherever KVM runs.
 *
 * The mailbox, from address 0x500: number of the command, number of the last
 * one that is done, address, pages, value to write to each page.
 */
	.code16
	.globl _start
_start:
	cli
	lgdtl	%cs:table_register - _start
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $protected
	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x500, %esi
again:
	pause
	movl	(%esi), %eax
	cmpl	4(%esi), %eax
	je	again
	movl	8(%esi), %edi
	movl	12(%esi), %ecx
	movl	16(%esi), %edx
next_page:
	movl	%edx, (%edi)
	addl	$4096, %edi
	decl	%ecx
	jnz	next_page
	movl	%eax, 4(%esi)
	jmp	again

	.align	8
table:	/* null, flat code, flat data */
	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
table_register:
	.word	. - table - 1
	.long	table

	.org	0xfff0		/* the first instruction after a reset */
	.code16
	jmp	_start
	.org	0x10000
