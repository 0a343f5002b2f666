#pragma once
/*
 * detach-keys: the keys that leave a command running, looked for in what is typed. What may be their beginning is held
 * back for a moment: who types on, or types no more, gets it passed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DETACH_KEYS_MAX 8 /* keys of a sequence; so many bytes more may come out than went in */

/* The option of verbs that can leave a command */
#define OPTION_DETACH_KEYS(AT)                                                                \
        {                                                                                     \
                "detach-keys", 0, OPTION_TEXT, (AT), "KEYS",                                  \
                        "Keys that leave it running, or none (default: $WARDER_DETACH_KEYS, " \
                        "else ctrl-p,ctrl-q)"                                                 \
        }

typedef struct DetachKeys {
        char keys[DETACH_KEYS_MAX];
        size_t n;           /* 0: none */
        size_t held;        /* of them typed so far, and not passed on */
        uint64_t held_usec; /* since when, monotonic */
} DetachKeys;

/**
 * detach_keys_init() - from words as of --detach-keys: "ctrl-p,ctrl-q", "~,.", "none"
 * @text: NULL: $WARDER_DETACH_KEYS, else the default
 *
 * Returns: 0 or -EINVAL with a sentence.
 */
int detach_keys_init(DetachKeys *keys, const char *text, Error *err);

/**
 * detach_keys_feed() - what was typed, less what leaves
 * @to:    room for n + DETACH_KEYS_MAX bytes
 * @ret_n: how many are to be passed on; what was typed behind the keys is dropped
 *
 * Returns: whether the whole sequence was typed.
 */
bool detach_keys_feed(DetachKeys *keys, const char *typed, size_t n, char *to, size_t *ret_n);

/** detach_keys_due() - when what is held is to be passed on; UINT64_MAX: nothing is */
uint64_t detach_keys_due(const DetachKeys *keys);

/** detach_keys_release() - what is held, into @to of DETACH_KEYS_MAX. Returns: how many bytes */
size_t detach_keys_release(DetachKeys *keys, char *to);
