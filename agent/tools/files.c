/*
 * files: read and write.
 */
#include "agent/tools/files.h"

#include <string.h>
#include <unistd.h>

#include "base/fds.h"

#define READ_LINES_DEFAULT 1000
#define READ_BYTES_MAX     (64 * 1024) /* of one answer; the next part is one call away */

static cJSON *open_params(const char *path, const char *flags) {
        cJSON *params = cJSON_CreateObject();
        autofree char *absolute = tool_path(path);
        autofree char *words = strdup(flags);
        char *state = NULL;
        cJSON *list;

        if (!absolute || !words)
                return json_free(params);
        (void) json_add_text(params, "path", absolute);
        list = json_add_array(params, "flags");
        for (char *word = strtok_r(words, " ", &state); word; word = strtok_r(NULL, " ", &state))
                (void) json_push_text(list, word);
        return params;
}

int files_open(ToolRun *run, const char *path, const char *flags, int *ret_fd, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = open_params(path, flags);
        int r;

        if (!params)
                return error_set(err, -ENOMEM, "open %.100s", path);
        r = tool_call(run, "open", params, &answer, err);
        if (r == LINK_E_REFUSED) {
                r = tool_refuse(run, &answer, err);
                return r < 0 ? r : FILES_E_REFUSED;
        }
        if (r < 0)
                return r;
        *ret_fd = link_take_fd(&answer);
        return *ret_fd < 0 ? error_say(err, -EPROTO, "open: an answer without a descriptor") : 0;
}

int files_load(ToolRun *run, const char *path, int fd, char **ret_text, size_t *ret_n) {
        int r;

        r = fd_read_all(fd, FILES_READ_MAX, ret_text, ret_n);
        if (r == -EFBIG || r == -EISDIR) {
                run->failed = true;
                r = buf_printf(&run->result,
                               r == -EFBIG ? "%s is above 8 MiB; look at parts of it with "
                                             "bash (head, sed -n)."
                                           : "%s is a directory; use glob to list files.",
                               path);
                return r < 0 ? r : FILES_E_REFUSED;
        }
        if (r < 0)
                return r;
        if (memchr(*ret_text, '\0', *ret_n)) {
                run->failed = true;
                r = buf_printf(&run->result, "%s is a binary file of %zu bytes.", path, *ret_n);
                return r < 0 ? r : FILES_E_REFUSED;
        }
        return 0;
}

static uint64_t number_or(const cJSON *arguments, const char *name, uint64_t otherwise) {
        uint64_t value;

        return json_number(arguments, name, &value) == 0 ? value : otherwise;
}

static int add_line(Buf *buf, uint64_t number, const char *line, size_t n) {
        int r;

        r = buf_printf(buf, "%6llu\t", (unsigned long long) number);
        if (r >= 0)
                r = buf_append(buf, line, n < OUTPUT_LINE_MAX ? n : OUTPUT_LINE_MAX);
        if (r >= 0 && n > OUTPUT_LINE_MAX)
                r = buf_printf(buf, " [… %zu bytes of this line left out]", n - OUTPUT_LINE_MAX);
        return r < 0 ? r : buf_append(buf, "\n", 1);
}

/* Lines offset .. offset+limit-1, and a last line that says how to go on. */
static int number_lines(Buf *buf, const char *text, uint64_t offset, uint64_t limit) {
        uint64_t number = 0, shown = 0;
        int r = 0;

        while (*text && r >= 0) {
                size_t n = strcspn(text, "\n");

                number++;
                if (number >= offset && shown < limit && buf->len < READ_BYTES_MAX) {
                        r = add_line(buf, number, text, n);
                        shown++;
                }
                text += n + (text[n] == '\n');
        }
        if (r < 0)
                return r;
        if (number == 0)
                return buf_printf(buf, "(the file is empty)\n");
        if (shown == 0)
                return buf_printf(buf, "(the file has %llu lines; offset %llu is past its end)\n",
                                  (unsigned long long) number, (unsigned long long) offset);
        if (offset + shown - 1 < number)
                return buf_printf(buf, "[… the file has %llu lines; go on with offset %llu]\n",
                                  (unsigned long long) number, (unsigned long long) offset + shown);
        return 0;
}

int tool_read(ToolRun *run, const cJSON *arguments, Error *err) {
        const char *path = json_text(arguments, "path");
        autofree char *text = NULL;
        autoclose int fd = -EBADF;
        size_t n;
        int r;

        r = files_open(run, path, "read", &fd, err);
        if (r != 0)
                return r < 0 ? r : 0;
        r = files_load(run, path, fd, &text, &n);
        if (r != 0)
                return r < 0 ? error_set(err, r, "read %.100s", path) : 0;
        return number_lines(&run->result, text, number_or(arguments, "offset", 1),
                            number_or(arguments, "limit", READ_LINES_DEFAULT));
}

/* A full disk of the jail is the model's matter, not ours. */
int tool_write(ToolRun *run, const cJSON *arguments, Error *err) {
        const char *path = json_text(arguments, "path");
        const char *content = json_text(arguments, "content");
        autoclose int fd = -EBADF;
        int r;

        r = files_open(run, path, "write create truncate parents", &fd, err);
        if (r != 0)
                return r < 0 ? r : 0;
        r = fd_write_all(fd, content, strlen(content));
        if (r < 0) {
                run->failed = true;
                return buf_printf(&run->result, "%s was not written whole: %s", path, strerror(-r));
        }
        return buf_printf(&run->result, "wrote %zu bytes to %s", strlen(content), path);
}
