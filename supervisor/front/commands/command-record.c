/*
 * command-record: see command-record.h. The bytes come from a command: whatever is no UTF-8, and NUL,
 * becomes U+FFFD; control characters stay, JSON escapes them and whoever shows them must too.
 */
#include "supervisor/front/commands/command-record.h"

#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/commands/filter-evidence.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define MARKER_MAX  64

/* Length of the well-formed character at @text, 0 where there is none. */
static size_t character(const char *text, size_t n) {
        static const uint8_t lengths[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4 };
        size_t length = lengths[(uint8_t) text[0] >> 4];

        if (length == 0 || length > n || text[0] == '\0')
                return 0;
        return length == 1 || utf8_is_valid(text, length) ? length : 0;
}

/* Copy runs of good characters at once: output is mostly plain text. */
static int append_clean(Buf *buf, const char *text, size_t n) {
        size_t from = 0, at = 0;
        int r;

        while (at < n) {
                size_t length = character(text + at, n - at);

                if (length) {
                        at += length;
                        continue;
                }
                r = buf_append(buf, text + from, at - from);
                if (r >= 0)
                        r = buf_append(buf, REPLACEMENT, strlen(REPLACEMENT));
                if (r < 0)
                        return r;
                from = ++at;
        }
        return buf_append(buf, text + from, n - from);
}

/* What init kept, and no more than it says: the memfd is init's word too. */
static char *read_kept(const CommandEnd *end, unsigned stream, size_t *ret_n) {
        size_t want = end->kept[stream] > INIT_KEEP_MAX ? INIT_KEEP_MAX : end->kept[stream];
        char *bytes = malloc(want + 1);
        size_t got = 0;

        while (bytes && got < want) {
                ssize_t n = pread(end->output[stream], bytes + got, want - got, (off_t) got);

                if (n <= 0)
                        break;
                got += (size_t) n;
        }
        *ret_n = got;
        return bytes;
}

char *command_output(const CommandEnd *end, unsigned stream) {
        Buf text = BUF_EMPTY(3 * (size_t) INIT_KEEP_MAX + MARKER_MAX);
        autofree char *bytes = NULL;
        uint64_t missing;
        size_t n = 0, cut;

        if (end->output[stream] < 0)
                return strdup("");
        bytes = read_kept(end, stream, &n);
        if (!bytes)
                return NULL;
        missing = end->seen[stream] > n ? end->seen[stream] - n : 0;
        cut = missing && end->cut_at[stream] < n ? end->cut_at[stream] : n;
        if (append_clean(&text, bytes, cut) < 0 ||
            (missing && buf_printf(&text, "\n[... %llu bytes left out ...]\n",
                                   (unsigned long long) missing) < 0) ||
            append_clean(&text, bytes + cut, n - cut) < 0) {
                buf_deinit(&text);
                return NULL;
        }
        return buf_take(&text);
}

static void add_stream(cJSON *output, const CommandEnd *end, unsigned stream, int fd_index) {
        cJSON *json;
        autofree char *text = NULL;

        if (!output || end->output[stream] < 0)
                return;
        json = json_add_object(output, stream == 0 ? "stdout" : "stderr");
        json_add_number(json, "seen", end->seen[stream]);
        json_add_number(json, "kept", end->kept[stream]);
        json_add_number(json, "cut_at", end->cut_at[stream]);
        if (fd_index >= 0) {
                json_add_number(json, "fd", (uint64_t) fd_index);
                return;
        }
        text = command_output(end, stream);
        json_add_text(json, "text", text ? text : "");
}

/* 0 is no peak: the kernel has no such counter, or it did not rise. */
static void add_known(cJSON *json, const char *name, uint64_t value) {
        if (value)
                json_add_number(json, name, value);
        else
                json_add_consume(json, name, cJSON_CreateNull());
}

#define UNCOUNTED_HITS (BIT(HIT_SOCKETS) | BIT(HIT_LOCKS))
#define COUNTED_HITS \
        (BIT(HIT_MEMORY) | BIT(HIT_PIDS) | BIT(HIT_DISK) | BIT(HIT_INODES) | UNCOUNTED_HITS)

/* What the kernel said, and how far it can be this command's: see evidence.c. */
static void add_evidence(cJSON *json, const CommandEnd *end) {
        cJSON *evidence = json_add_object(json, "evidence");

        json_add_text(evidence, "counted_for", end->own_counters ? "command" : "jail");
        json_add_bool(evidence, "others", end->others);
        json_add_number(evidence, "oom_kills", end->oom_kills);
        json_add_number(evidence, "forks_refused", end->forks_refused);
        json_add_bool(evidence, "disk_full_before", end->disk_before);
        if (end->hits & UNCOUNTED_HITS)
                json_add_number(evidence, "uncounted", end->uncounted);
}

static void add_end(cJSON *json, const CommandEnd *end) {
        cJSON *hits;

        json_add_text(json, "cause", cause_name(end->cause));
        if (end->cause == CAUSE_NOT_STARTED) {
                json_add_consume(json, "code", cJSON_CreateNull());
                json_add_text(json, "step", init_step_name(end->step));
                json_add_number(json, "errno", (uint64_t) -end->code);
                json_add_text(json, "error", strerrordesc_np(-end->code));
        } else {
                json_add_number(json, "code", (uint64_t) end->code);
        }
        json_add_consume(json, "signal",
                         end->signal ? cJSON_CreateNumber(end->signal) : cJSON_CreateNull());
        json_add_number(json, "wall_usec", end->wall_usec);
        if (end->frozen_usec)
                json_add_number(json, "frozen_usec", end->frozen_usec);
        json_add_number(json, "user_usec", end->user_usec);
        json_add_number(json, "sys_usec", end->sys_usec);
        add_known(json, "memory_peak", end->memory_peak);
        json_add_text(json, "memory_peak_of", end->own_counters ? "command" : "jail");
        json_add_number(json, "memory_files", end->memory_files);
        add_known(json, "pids_peak", end->pids_peak);
        json_add_number(json, "io_read", end->io_read);
        json_add_number(json, "io_written", end->io_written);
        hits = json_add_array(json, "hits");
        for (unsigned i = 0; i < _HIT_MAX; i++)
                if (end->hits & BIT(i))
                        json_push_text(hits, hit_name(i));
        if (end->cause == CAUSE_SECCOMP)
                json_add_consume(json, "seccomp", filter_evidence(&end->killed));
        if (end->hits & COUNTED_HITS)
                add_evidence(json, end);
}

cJSON *command_record_fds(const Command *command, const CommandEnd *end, int *ret_fds,
                          unsigned *ret_n_fds) {
        cJSON *json = cJSON_CreateObject();
        bool large = ret_fds && end->kept[0] + end->kept[1] > RECORD_TEXT_MAX;
        cJSON *output;
        unsigned n = 0;

        json_add_text(json, "command", command_id(command));
        json_add_text(json, "jail", front_jail_id(command_jail(command)));
        add_end(json, end);
        if (end->output[0] < 0 && end->output[1] < 0) {
                json_add_consume(json, "output", cJSON_CreateNull());
        } else {
                output = json_add_object(json, "output");
                for (unsigned i = 0; i < 2; i++) {
                        if (large && end->output[i] >= 0)
                                ret_fds[n] = end->output[i];
                        add_stream(output, end, i, large ? (int) n : -1);
                        n += large && end->output[i] >= 0;
                }
        }
        if (ret_n_fds)
                *ret_n_fds = n;
        return json;
}

cJSON *command_record(const Command *command, const CommandEnd *end) {
        return command_record_fds(command, end, NULL, NULL);
}
