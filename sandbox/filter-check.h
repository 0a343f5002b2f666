#pragma once
/*
 * filter-check: is a descriptor that a front sent a policy's filter.
 */
#include "base/error.h"

/** filter_check() - a sealed memfd of as many instructions as the kernel takes: what is loaded is what was checked. Returns: 0 or -EINVAL */
int filter_check(int fd, Error *err);
