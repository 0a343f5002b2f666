#pragma once
/*
 * json-path: a path, which is any bytes but 0, as a member of a JSON object.
 */
#include <stddef.h>

#include "sandbox/files/names.h"

/* What json_path() writes at most of a path of 2 * NAME_PATH_MAX bytes: six for each of them, and its digits */
#define JSON_PATH_MAX (2u * NAME_PATH_MAX * 8u + 32u)

/**
 * json_path() - "path":"…", and where that is not all of it ,"path_hex":"…"
 * @text: room for JSON_PATH_MAX; no 0 is written behind it
 *
 * Returns: bytes.
 */
size_t json_path(const char *path, char *text);
