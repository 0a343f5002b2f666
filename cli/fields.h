#pragma once
/*
 * fields: which option of the command fills a field of a request, so that a refusal can name what was typed.
 */

/** field_option() - the option behind JSON pointer @path in a request of @method. Returns: static, NULL: none */
const char *field_option(const char *method, const char *path);
