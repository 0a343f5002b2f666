/*
 * detach-keys: see detach-keys.h.
 */
#include "cli/detach-keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define DEFAULT   "ctrl-p,ctrl-q"
#define HOLD_USEC 500000 /* a person presses both at once; one key alone is not to feel slow */
#define CONTROL   "ctrl-"

/* A key by its word of @n bytes. Returns: the byte, or negative */
static int key_of(const char *word, size_t n) {
        size_t control = strlen(CONTROL);
        int key;

        if (n == 1)
                return *word > ' ' && *word < 0x7f ? *word : -EINVAL;
        if (n != control + 1 || strncmp(word, CONTROL, control) != 0)
                return -EINVAL;
        key = word[control];
        if (key >= 'a' && key <= 'z')
                return key - 'a' + 1;
        return key >= '@' && key <= '_' ? key - '@' : -EINVAL;
}

int detach_keys_init(DetachKeys *keys, const char *text, Error *err) {
        DetachKeys found = { .n = 0 };
        const char *at = text ? text : getenv("WARDER_DETACH_KEYS");

        *keys = found;
        if (!at || !*at)
                at = DEFAULT;
        if (strcmp(at, "none") == 0)
                return 0;
        for (text = at; *at; at += *at == ',') {
                size_t n = strcspn(at, ",");
                int key = key_of(at, n);

                if (key < 0 || found.n == DETACH_KEYS_MAX)
                        return error_say(
                                err, -EINVAL,
                                "%.60s are no keys: say up to %d with commas between "
                                "them, each one character or ctrl- and a letter, as " DEFAULT
                                ", or none.",
                                text, DETACH_KEYS_MAX);
                found.keys[found.n++] = (char) key;
                at += n;
        }
        *keys = found;
        return 0;
}

/* The sequence may begin anew within what was held: passes on as few bytes as leave such a beginning */
static size_t retreat(DetachKeys *keys, char key, char *to) {
        char all[DETACH_KEYS_MAX + 1];
        size_t n = keys->held + 1, passed = 0;

        memcpy(all, keys->keys, keys->held);
        all[keys->held] = key;
        while (passed < n && memcmp(all + passed, keys->keys, n - passed) != 0)
                passed++;
        memcpy(to, all, passed);
        keys->held = n - passed;
        return passed;
}

bool detach_keys_feed(DetachKeys *keys, const char *typed, size_t n, char *to, size_t *ret_n) {
        size_t out = 0;

        for (size_t i = 0; i < n; i++) {
                if (keys->n == 0) {
                        to[out++] = typed[i];
                        continue;
                }
                out += retreat(keys, typed[i], to + out);
                if (keys->held < keys->n)
                        continue;
                keys->held = 0;
                *ret_n = out;
                return true;
        }
        keys->held_usec = units_monotonic();
        *ret_n = out;
        return false;
}

uint64_t detach_keys_due(const DetachKeys *keys) {
        return keys->held > 0 ? keys->held_usec + HOLD_USEC : UINT64_MAX;
}

size_t detach_keys_release(DetachKeys *keys, char *to) {
        size_t n = keys->held;

        memcpy(to, keys->keys, n);
        keys->held = 0;
        return n;
}
