#pragma once
/*
 * ids: names that are never reused. A prefix and ten characters of base32 (50 random bits, lower case
 * RFC 4648 alphabet): "j-7f3kq2m4ab".
 */
#include <stdbool.h>
#include <stdint.h>

#define ID_MAX 16

/** id_new() - write @prefix, '-' and ten random characters into @id of ID_MAX; aborts without getrandom(2) */
void id_new(char prefix, char *id);

/** id_is_valid() - the exact form with this prefix */
bool id_is_valid(char prefix, const char *text);

/** id_number() - the number that a valid id stands for, one for each. Returns: 0 or -EINVAL */
int id_number(char prefix, const char *text, uint64_t *ret_number);

/** name_is_valid() - a snapshot's, policy's or workflow's name: [a-z0-9][a-z0-9._-]{0,63}, no ".." */
bool name_is_valid(const char *text);
