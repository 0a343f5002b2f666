/*
 * ids: see ids.h.
 */
#include "base/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ID_RANDOM       10 /* characters of five bits */
#define NAME_LENGTH_MAX 64

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void id_new(char prefix, char *id) {
        uint64_t bits = 0;
        ssize_t n;
        unsigned i;

        do
                n = getrandom(&bits, sizeof(bits), 0);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t) sizeof(bits))
                abort(); /* an id that can be guessed or repeats is worse than no process */
        *id++ = prefix;
        *id++ = '-';
        for (i = 0; i < ID_RANDOM; i++, bits >>= 5)
                *id++ = alphabet[bits & 31];
        *id = 0;
}

bool id_is_valid(char prefix, const char *text) {
        if (!text || text[0] != prefix || text[1] != '-')
                return false;
        return strspn(text + 2, alphabet) == ID_RANDOM && text[2 + ID_RANDOM] == 0;
}

int id_number(char prefix, const char *text, uint64_t *ret_number) {
        uint64_t number = 0;

        if (!id_is_valid(prefix, text))
                return -EINVAL;
        for (text += 2; *text; text++)
                number = number << 5 | (uint64_t) (strchr(alphabet, *text) - alphabet);
        *ret_number = number;
        return 0;
}

bool name_is_valid(const char *text) {
        static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t n;

        if (!text || strspn(text, first) == 0)
                return false;
        n = strspn(text, more);
        return n <= NAME_LENGTH_MAX && text[n] == 0 && !strstr(text, "..");
}
