#pragma once
/*
 * units: sizes, durations, shares and times as people write them ("512M", "10m", "150%") and as records
 * carry them (bytes, microseconds, per mille). Strict: the whole string or nothing; overflow is an error.
 */
#include <stdint.h>

#include "base/error.h"

#define UNITS_TEXT_MAX 32

/** units_parse_size() - "512M" (powers of 1024: K M G T, none is bytes). Returns: 0 or -EINVAL */
int units_parse_size(const char *text, uint64_t *ret_bytes, Error *err);

/** units_parse_duration() - "500us" "250ms" "10s" "10m" "2h" "1d"; a bare number is seconds. Returns: 0 or -EINVAL */
int units_parse_duration(const char *text, uint64_t *ret_usec, Error *err);

/** units_parse_share() - "150%" of one processor, as per mille (1500). Returns: 0 or -EINVAL */
int units_parse_share(const char *text, uint32_t *ret_permille, Error *err);

/** units_parse_number() - a decimal number without sign or blanks. Returns: 0 or -EINVAL */
int units_parse_number(const char *text, uint64_t *ret_value, Error *err);

/** units_format_size() - "1.5 GiB" into @text of UNITS_TEXT_MAX. Returns: @text */
const char *units_format_size(uint64_t bytes, char *text);

/** units_format_duration() - "1.2 ms", "3.4 s", "10 m 5 s". Returns: @text */
const char *units_format_duration(uint64_t usec, char *text);

/** units_format_count() - "1 layer", "2 layers" into @text of UNITS_TEXT_MAX; @one takes an "s". Returns: @text */
const char *units_format_count(uint64_t n, const char *one, char *text);

/** units_format_time() - RFC 3339 UTC with milliseconds from microseconds since 1970. Returns: @text */
const char *units_format_time(uint64_t usec, char *text);

/** units_parse_time() - what units_format_time() writes, and nothing else. Returns: 0 or -EINVAL */
int units_parse_time(const char *text, uint64_t *ret_usec);

/** units_now() - wall clock, microseconds since 1970 */
uint64_t units_now(void);

/** units_monotonic() - CLOCK_MONOTONIC in microseconds */
uint64_t units_monotonic(void);
