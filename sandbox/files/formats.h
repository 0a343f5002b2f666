#pragma once
/*
 * formats: names for files that somebody might take for an archive, so that a refusal says what came instead of
 * a tar archive. Nothing is read of them but their first bytes.
 */
#include <stddef.h>

/** format_guess() - what a file is by its first @n bytes, "a zip file"; static. NULL where nothing fits */
const char *format_guess(const char *bytes, size_t n);
