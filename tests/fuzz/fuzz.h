#pragma once
/*
 * fuzz: the form that every target here has. libFuzzer calls it with inputs of its own (make fuzz); the
 * main() of replay.c calls it with the corpus beside it and with damaged copies of that (make check).
 */
#include <stddef.h>
#include <stdint.h>

/** LLVMFuzzerTestOneInput() - reads @n hostile bytes; ends the process where a promise is broken. Returns: 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
