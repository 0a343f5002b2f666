#pragma once
/*
 * usage: how many tokens a reply says it cost, found without reading the reply as a whole: the last
 * "usage" object of the text that passed, be it one JSON value or an event stream.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define USAGE_TAIL_MAX (256 * 1024) /* LIMIT: a usage object further from the end is not seen */

/** usage_keep() - take in what passes, keeping the last part of it. Out of memory loses the count, no more */
void usage_keep(Buf *tail, const char *bytes, size_t n);

/** usage_find() - @ret_in and @ret_out from the last usage object; 0 where there is none */
void usage_find(const Buf *tail, uint64_t *ret_in, uint64_t *ret_out);
