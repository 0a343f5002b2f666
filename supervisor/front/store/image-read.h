#pragma once
/*
 * image-read: what the readers of an image's texts share: text to checked JSON, and this machine's name.
 */
#include "base/json.h"

/** image_parse() - strict JSON that fits a schema. Returns: 0 and @ret owned by the caller, -EINVAL, -ENOMEM */
int image_parse(const char *text, size_t n, const char *schema, cJSON **ret, Error *err);
/** image_arch() - as images call this machine's architecture: "amd64", "arm64" */
const char *image_arch(void);
