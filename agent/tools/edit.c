/*
 * edit: count, then replace. The file is read and written through one descriptor, so that what was
 * counted is what is replaced, and its mode stays.
 */
#include "agent/tools/edit.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "agent/tools/files.h"
#include "base/fds.h"

#define EDIT_LINES_SHOWN 10

static unsigned line_of(const char *text, const char *at) {
        unsigned line = 1;

        for (; text < at; text++)
                line += *text == '\n';
        return line;
}

static unsigned count(const char *text, const char *needle) {
        unsigned n = 0;

        for (const char *at = text; (at = strstr(at, needle)); at += strlen(needle))
                n++;
        return n;
}

static int add_lines(Buf *said, const char *text, const char *needle) {
        unsigned n = 0;
        int r = 0;

        for (const char *at = text; r >= 0 && (at = strstr(at, needle)); at += strlen(needle)) {
                if (++n > EDIT_LINES_SHOWN)
                        return buf_printf(said, ", …");
                r = buf_printf(said, "%s%u", n > 1 ? ", " : "", line_of(text, at));
        }
        return r;
}

/* The first line of @text whose words begin as @needle's first line, blanks aside; 0: none. */
static unsigned near_miss(const char *text, const char *needle) {
        size_t n;
        unsigned line = 1;

        needle += strspn(needle, " \t\r\n");
        n = strcspn(needle, "\n");
        while (n > 0 && isspace((unsigned char) needle[n - 1]))
                n--;
        if (n == 0)
                return 0;
        for (; *text; line++) {
                size_t blanks = strspn(text, " \t"), length = strcspn(text, "\n");

                if (blanks <= length && strncmp(text + blanks, needle, n) == 0)
                        return line;
                text += length + (text[length] == '\n');
        }
        return 0;
}

static int say_missing(const EditSpec *spec, const char *text, Buf *said) {
        unsigned line = near_miss(text, spec->old_text);
        bool crlf = strstr(text, "\r\n") && !strchr(spec->old_text, '\r');
        int r;

        r = buf_printf(said, "old_string does not occur in %s; nothing was changed. ", spec->path);
        if (r >= 0 && line > 0)
                r = buf_printf(said,
                               "Line %u begins like it but differs in blanks or in what follows. ",
                               line);
        if (r >= 0 && crlf && strchr(spec->old_text, '\n'))
                r = buf_printf(said, "The file's lines end in CR LF. ");
        return r < 0 ? r
                     : buf_printf(said, "Read the file and copy the text exactly, without the "
                                        "line numbers.");
}

/* Does the edit make sense? EDIT_E_REFUSED with the reason in @said where not. */
static int check(const EditSpec *spec, const char *text, unsigned n, Buf *said) {
        int r = 0;

        if (!*spec->old_text)
                r = buf_printf(
                        said, "old_string is empty; nothing was changed. Give the text to replace, "
                              "or use write to make a new file.");
        else if (strcmp(spec->old_text, spec->new_text) == 0)
                r = buf_printf(said,
                               "old_string and new_string are the same; nothing was changed.");
        else if (n == 0)
                r = say_missing(spec, text, said);
        else if (n > 1 && !spec->all) {
                r = buf_printf(said, "old_string occurs %u times in %s, at lines ", n, spec->path);
                if (r >= 0)
                        r = add_lines(said, text, spec->old_text);
                if (r >= 0)
                        r = buf_printf(said, "; nothing was changed. Add lines around it until it "
                                             "occurs once, or set replace_all.");
        } else
                return 0;
        return r < 0 ? r : EDIT_E_REFUSED;
}

static int replace(const EditSpec *spec, const char *text, Buf *out) {
        const char *at;
        int r = 0;

        while (r >= 0 && (at = strstr(text, spec->old_text))) {
                r = buf_append(out, text, (size_t) (at - text));
                if (r >= 0)
                        r = buf_append(out, spec->new_text, strlen(spec->new_text));
                text = at + strlen(spec->old_text);
        }
        return r < 0 ? r : buf_append(out, text, strlen(text));
}

int edit_text(const EditSpec *spec, const char *text, char **ret_text, Buf *said) {
        Buf out = BUF_EMPTY(2 * FILES_READ_MAX);
        unsigned n = *spec->old_text ? count(text, spec->old_text) : 0;
        int r;

        r = check(spec, text, n, said);
        if (r != 0)
                return r;
        r = replace(spec, text, &out);
        if (r >= 0)
                r = buf_printf(said, "replaced %u occurrence%s in %s, at line%s ", n,
                               n > 1 ? "s" : "", spec->path, n > 1 ? "s" : "");
        if (r >= 0)
                r = add_lines(said, text, spec->old_text);
        if (r >= 0) {
                *ret_text = buf_take(&out);
                r = *ret_text ? 0 : -ENOMEM;
        }
        buf_deinit(&out);
        return r;
}

static int store(int fd, const char *text) {
        size_t n = strlen(text);
        int r;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        r = fd_write_all(fd, text, n);
        if (r < 0)
                return r;
        return ftruncate(fd, (off_t) n) < 0 ? -errno : 0;
}

int tool_edit(ToolRun *run, const cJSON *arguments, Error *err) {
        EditSpec spec = { .path = json_text(arguments, "path"),
                          .old_text = json_text(arguments, "old_string"),
                          .new_text = json_text(arguments, "new_string"),
                          .all = json_true(arguments, "replace_all") };
        autofree char *text = NULL, *edited = NULL;
        autoclose int fd = -EBADF;
        size_t n;
        int r;

        r = files_open(run, spec.path, "read write", &fd, err);
        if (r == 0)
                r = files_load(run, spec.path, fd, &text, &n);
        if (r != 0)
                return r < 0 ? r : 0;
        r = edit_text(&spec, text, &edited, &run->result);
        if (r != 0) {
                run->failed = true;
                return r < 0 ? r : 0;
        }
        r = store(fd, edited);
        if (r == 0)
                return 0;
        run->failed = true;
        buf_deinit(&run->result);
        return buf_printf(&run->result, "%s was not written whole: %s", spec.path, strerror(-r));
}
