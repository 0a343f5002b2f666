/*
 * text: what conf files are written in.
 */
#include <ctype.h>
#include <string.h>

#include "shelf.h"

char *text_trim(char *text) {
        size_t n;

        while (isspace((unsigned char) *text))
                text++;
        n = strlen(text);
        while (n > 0 && isspace((unsigned char) text[n - 1]))
                n--;
        text[n] = 0;
        return text;
}

int text_number(const char *text, uint64_t *ret) {
        uint64_t value = 0;

        if (!*text)
                return -1;
        for (; *text; text++) {
                unsigned digit = (unsigned) (*text - '0');

                if (digit > 9 || value > (UINT64_MAX - digit) / 10)
                        return -1;
                value = value * 10 + digit;
        }
        *ret = value;
        return 0;
}

int text_size(const char *text, size_t *ret) {
        char digits[24];
        size_t n = strlen(text);
        unsigned shift = 0;
        uint64_t value;

        if (n == 0 || n >= sizeof(digits))
                return -1;
        if (text[n - 1] == 'k')
                shift = 10;
        else if (text[n - 1] == 'm')
                shift = 20;
        if (shift)
                n--;
        memcpy(digits, text, n);
        digits[n] = 0;
        if (text_number(digits, &value) < 0 || value > SIZE_MAX >> shift)
                return -1;
        *ret = (size_t) value << shift;
        return 0;
}
