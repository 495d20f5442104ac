/*
 * Tables for classifying bytes by their two halves with a shuffle: bit r - 2 stands for the row
 * r0-rf of ASCII, and a byte is of the class when the entry of its low half and that of its high
 * half share a bit. Rows 0, 1 and 8-f (controls, non-ASCII) belong to none. A test compares them
 * with gale__char_class.
 */
#ifndef GALE_CORE_SCAN_TABLES_H
#define GALE_CORE_SCAN_TABLES_H

/* Rows in which tchar (RFC 9110 5.6.2) has this low half. */
#define GALE__TOKEN_LOW 58, 63, 62, 63, 63, 63, 63, 63, 62, 62, 61, 21, 52, 21, 61, 28
/* The same for GALE__TARGET: 0x21-0x7e without '"', '#', '<', '>'. */
#define GALE__TARGET_LOW 62, 63, 62, 62, 63, 63, 63, 63, 63, 63, 63, 63, 61, 63, 61, 31
#define GALE__ROWS_HIGH 0, 0, 1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0

#endif
