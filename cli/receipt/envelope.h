#pragma once
/*
 * envelope: a signed statement about a receipt, as read from a DSSE envelope (base/statement.h makes them).
 */
#include "base/json.h"
#include "base/signing.h"

#define KEYS_MAX 8

typedef struct Keys {
        SignKey *items[KEYS_MAX]; /* owned */
        unsigned n;
} Keys;

/** keys_add() - a public key from a file. Returns: 0 or negative errno */
int keys_add(Keys *keys, const char *path, Error *err);
/** keys_deinit() */
void keys_deinit(Keys *keys);

/**
 * envelope_open() - one whose signature is good by the key that it names
 * @json: the envelope
 * @ret:  the statement, owned by the caller
 *
 * Returns: 0; -EINVAL: it is no envelope of ours; -ENOKEY: we do not have that key; -EBADMSG: not that key's
 * signature. Each with a sentence.
 */
int envelope_open(const Keys *keys, const cJSON *json, cJSON **ret, Error *err);
