/*
 * edit: an edit that a model asks for, of a file that anybody wrote. Input: a byte of flags, then the old text, the
 * new text and the file, with a 0 byte between them.
 */
#include "agent/tools/edit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autofree char *bytes = calloc(1, n + 3);
        autofree char *text = NULL;
        Buf said = BUF_EMPTY(64 << 10);
        EditSpec spec = { .path = "f" };
        int r;

        if (!bytes)
                abort();
        memcpy(bytes, data, n);
        spec.all = bytes[0] & 1;
        spec.old_text = bytes + (n > 0);
        spec.new_text = spec.old_text + strlen(spec.old_text) + 1;
        if (spec.new_text > bytes + n)
                spec.new_text = bytes + n;
        r = edit_text(&spec,
                      spec.new_text + strlen(spec.new_text) < bytes + n
                              ? spec.new_text + strlen(spec.new_text) + 1
                              : bytes + n,
                      &text, &said);
        if ((r == 0) != (text != NULL) || (r >= 0 && said.len == 0))
                abort();
        buf_deinit(&said);
        return 0;
}
