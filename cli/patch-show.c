/*
 * patch-show: a patch is text of the agent's; a terminal gets it escaped, a file or a pipe as it is.
 */
#include "cli/patch-show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/terminal.h"

#define PATCH_MAX   (256ul * 1024 * 1024)
#define LINES_SHORT 60

typedef struct Stat {
        char name[256];
        unsigned added, removed;
        bool binary;
} Stat;

static int read_patch(int fd, char **ret, size_t *ret_n) {
        return lseek(fd, 0, SEEK_SET) < 0 ? -1 : fd_read_all(fd, PATCH_MAX, ret, ret_n);
}

static void show_stat(FILE *to, const Stat *stat) {
        if (!stat->name[0])
                return;
        fputs("  ", to);
        terminal_text(to, stat->name, 120);
        if (stat->binary)
                fputs("  binary\n", to);
        else
                fprintf(to, "  %s+%u%s %s-%u%s\n", terminal_tone_on(to, TONE_GOOD), stat->added,
                        terminal_tone_on(to, TONE_PLAIN), terminal_tone_on(to, TONE_BAD),
                        stat->removed, terminal_tone_on(to, TONE_PLAIN));
}

/* "diff --git a/x b/x": both names are the same, since renames are not looked for */
static void begin_file(FILE *to, Stat *stat, const char *line, size_t n) {
        size_t half = n > 16 ? (n - 16) / 2 : 0;

        show_stat(to, stat);
        *stat = (Stat){ 0 };
        snprintf(stat->name, sizeof(stat->name), "%.*s", (int) (half < 250 ? half : 250),
                 half ? line + 13 : "?");
}

static unsigned show_stats(FILE *to, const char *text) {
        Stat stat = { 0 };
        bool in_hunk = false;
        unsigned lines = 0;

        for (const char *line = text; *line; lines++) {
                size_t n = strcspn(line, "\n");

                if (strncmp(line, "diff --git ", 11) == 0) {
                        begin_file(to, &stat, line, n);
                        in_hunk = false;
                } else if (strncmp(line, "@@", 2) == 0) {
                        in_hunk = true;
                } else if (strncmp(line, "GIT binary patch", 16) == 0) {
                        stat.binary = true;
                } else if (in_hunk) {
                        stat.added += *line == '+';
                        stat.removed += *line == '-';
                }
                line += n + (line[n] == '\n');
        }
        show_stat(to, &stat);
        return lines;
}

static void show_coloured(FILE *file, const char *text, bool colour) {
        while (*text) {
                size_t n = strcspn(text, "\n");
                autofree char *line = strndup(text, n);
                const char *tone = "";

                if (colour && (*text == '+' || *text == '-'))
                        tone = *text == '+' ? "\033[32m" : "\033[31m";
                fputs(tone, file);
                terminal_text(file, line, 1000);
                fputs(*tone ? "\033[0m\n" : "\n", file);
                text += n + (text[n] == '\n');
        }
}

void patch_show(FILE *to, int fd) {
        autofree char *text = NULL;
        size_t n = 0;

        if (read_patch(fd, &text, &n) < 0)
                return;
        if (n == 0) {
                fputs("the patch is empty: nothing was changed\n", to);
                return;
        }
        fputs("the patch:\n", to);
        if (show_stats(to, text) <= LINES_SHORT)
                show_coloured(to, text, terminal_has_colour(to));
}

int patch_write(int fd) {
        autofree char *text = NULL;
        size_t n = 0;
        int r = read_patch(fd, &text, &n);

        if (r < 0)
                return r;
        if (!isatty(1))
                return fd_write_all(1, text, n);
        show_coloured(stdout, text, terminal_has_colour(stdout));
        return 0;
}
