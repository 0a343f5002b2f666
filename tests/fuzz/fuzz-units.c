/* units, ids, escape: short texts from outside; what is accepted formats, what is shown is safe. */
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/escape.h"
#include "base/ids.h"
#include "tests/fuzz/fuzz.h"

static void must(int good) {
        if (!good)
                abort();
}

static void parse_all(const char *text) {
        uint8_t digest[DIGEST_SIZE];
        char shown[UNITS_TEXT_MAX], digest_text[DIGEST_TEXT_MAX];
        Error err = ERROR_EMPTY;
        uint64_t value = 0;
        uint32_t share = 0;

        must(units_parse_size(text, &value, &err) == 0 || err.text[0]);
        must(strlen(units_format_size(value, shown)) < UNITS_TEXT_MAX);
        must(units_parse_duration(text, &value, &err) == 0 || err.text[0]);
        must(strlen(units_format_duration(value, shown)) < UNITS_TEXT_MAX);
        must(strlen(units_format_time(value, shown)) < UNITS_TEXT_MAX);
        must(units_parse_share(text, &share, &err) == 0 || err.text[0]);
        if (digest_parse(text, digest) == 0)
                must(strcmp(digest_format(digest, digest_text), text) == 0);
        if (name_is_valid(text))
                must(!strchr(text, '/') && strlen(text) <= 64 && text[0] != '.');
        if (id_is_valid('j', text))
                must(strlen(text) < ID_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autobuf Buf safe = BUF_EMPTY(1 << 20);
        autofree char *text = NULL;
        autofree char *cut = NULL;
        size_t i;

        if (n > 10000)
                return 0;
        text = calloc(1, n + 1);
        must(text != NULL);
        memcpy(text, data, n);
        parse_all(text);
        must(escape_text(&safe, (const char *) data, n, 0) == 0);
        for (i = 0; i < safe.len; i++)
                must((unsigned char) safe.data[i] >= 0x20 && safe.data[i] != 0x7f);
        must(utf8_is_valid(safe.data ? safe.data : "", safe.len));
        cut = escape_new(text, 20);
        must(cut && strlen(cut) <= 20 + strlen("…"));
        return 0;
}
