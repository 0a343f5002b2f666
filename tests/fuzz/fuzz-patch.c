/*
 * patch: a hostile patch is taken apart and applied to a hostile file; and what we write from two files is
 * read back and gives the second again. Input: the file, a line "====", the patch or the second file.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/names.h"
#include "sandbox/files/patch-binary.h"
#include "sandbox/files/patch-hunk.h"
#include "sandbox/files/patch-read.h"
#include "sandbox/files/patch-write.h"
#include "tests/fuzz/fuzz.h"

#define SEPARATOR "====\n"

static int nowhere = -1;

static void must(bool good) {
        if (!good)
                abort();
}

static void start(void) {
        if (nowhere >= 0)
                return;
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        must(nowhere >= 0);
}

static void check_name(const char *name) {
        char clean[NAME_PATH_MAX];

        must(!name || (name_clean(name, strlen(name), clean) == RULE_NONE &&
                       strcmp(name, clean) == 0 && !name_has_git(name)));
}

static void apply(const PatchFile *file, HunkBytes old, const HunkBytes *want) {
        autofree char *bytes = NULL;
        Error err = ERROR_EMPTY;
        size_t n = 0;
        int r = 0;

        check_name(file->old_path);
        check_name(file->new_path);
        if (file->body.n == 0)
                return;
        r = file->binary ? patch_binary_apply(file->body, old, &bytes, &n, &err)
                         : hunk_apply_all(file->body, old, 0, &bytes, &n);
        if (want)
                must(r == 0 && n == want->n && (n == 0 || memcmp(bytes, want->bytes, n) == 0));
}

static void read_patch(const char *text, size_t n, HunkBytes old, const HunkBytes *want) {
        Report report = REPORT_EMPTY(nowhere);
        Patch patch = { .text = malloc(n + 1), .n = n };
        Error err = ERROR_EMPTY;
        unsigned i;

        must(patch.text != NULL);
        memcpy(patch.text, text, n);
        patch.text[n] = 0;
        if (patch_parse(&patch, &report, &err) < 0)
                must(!want && report.refused);
        else
                for (i = 0; i < patch.n_files; i++)
                        apply(&patch.files[i], old, want);
        patch_deinit(&patch);
}

static void round_trip(HunkBytes old, HunkBytes new) {
        PatchSide from = { .mode = PATCH_MODE_FILE, .content = old };
        PatchSide to = { .mode = PATCH_MODE_EXEC, .content = new };
        Buf text = BUF_EMPTY(64 << 20);
        Error err = ERROR_EMPTY;

        must(patch_write(&text, "a b/\"c", &from, &to, &err) == 0);
        read_patch(text.data, text.len, old, &new);
        buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *at = memmem(data, n, SEPARATOR, strlen(SEPARATOR));
        HunkBytes old = { .bytes = (const char *) data, .n = n }, rest = { 0 };

        start();
        if (at) {
                old.n = (size_t) (at - old.bytes);
                rest.bytes = at + strlen(SEPARATOR);
                rest.n = n - old.n - strlen(SEPARATOR);
        }
        if (rest.n > 0)
                read_patch(rest.bytes, rest.n, old, NULL);
        round_trip(old, rest);
        return 0;
}
