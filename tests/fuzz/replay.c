/*
 * replay: runs a fuzz target over its corpus, as a TAP test without a fuzzer. Every input also comes cut
 * short and with bytes changed, the same ones each time; what exploring found (found-*) has been damaged
 * enough, and comes as it is. The corpus is tests/fuzz/corpus/NAME for the target fuzz-NAME; files given as
 * arguments replace it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tap.h"

#define INPUT_MAX (4 * 1024 * 1024)
#define CUTS_MAX  300
#define CHANGES   500
#define FOUND     "found-"

/* A fixed sequence (xorshift), so that a failure comes again. */
static uint32_t next_number(uint32_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

/* The target reads a copy of exactly @n bytes, so that a sanitizer sees every byte behind it. */
static void run_copy(const char *text, size_t n) {
        autofree uint8_t *copy = malloc(n ? n : 1);

        if (!copy)
                abort();
        memcpy(copy, text, n);
        (void) LLVMFuzzerTestOneInput(copy, n);
}

static void run_damaged(char *text, size_t n) {
        uint32_t state = 2463534242u;
        size_t i;

        for (i = 0; i < n && i < CUTS_MAX; i++)
                run_copy(text, i);
        for (i = 0; n > 0 && n < 100000 && i < CHANGES; i++) {
                size_t at = next_number(&state) % n;
                char before = text[at];

                text[at] = (char) next_number(&state);
                run_copy(text, n);
                text[at] = before;
        }
}

static void run_file(int directory, const char *name) {
        autoclose int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
        autofree char *text = NULL;
        size_t n = 0;

        if (!ok(fd >= 0 && fd_read_all(fd, INPUT_MAX, &text, &n) == 0, "read %s", name))
                return;
        run_copy(text, n);
        if (strncmp(name, FOUND, strlen(FOUND)) == 0)
                return;
        run_damaged(text, n);
        ok(true, "%s, whole and damaged", name);
}

static unsigned run_corpus(const char *target) {
        const char *source = getenv("top_srcdir");
        char path[1024];
        struct dirent *entry;
        unsigned n = 0;
        DIR *directory;

        (void) snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source ? source : ".",
                        target);
        directory = opendir(path);
        if (!directory)
                return 0;
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.') {
                        run_file(dirfd(directory), entry->d_name);
                        n++;
                }
        (void) closedir(directory);
        return n;
}

int main(int argc, char **argv) {
        const char *name = strstr(argv[0], "fuzz-");
        int i;

        for (i = 1; i < argc; i++)
                run_file(AT_FDCWD, argv[i]);
        if (argc == 1 && name)
                ok(run_corpus(name + strlen("fuzz-")) > 0, "there is a corpus of %s", name);
        return tap_end();
}
