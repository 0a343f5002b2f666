/*
 * shell: commands and their records.
 */
#include "agent/tools/shell.h"

#include <math.h>
#include <string.h>

#include "base/fds.h"
#include "base/units.h"

#define BASH_TIMEOUT_SECONDS 120
#define SHELL_OUTPUT_MAX     (4 * 1024 * 1024)

const char *shell_output(LinkAnswer *answer, char **ret_owned) {
        const cJSON *output = json_get(answer->result, "output");
        const cJSON *streams[] = { output, json_get(output, "stdout"), json_get(output, "merged") };
        size_t n;

        for (unsigned i = 0; i < ELEMENTS(streams); i++)
                if (json_text(streams[i], "text"))
                        return json_text(streams[i], "text");
        autoclose int fd = link_take_fd(answer);

        if (fd >= 0 && fd_read_all(fd, SHELL_OUTPUT_MAX, ret_owned, &n) == 0)
                return *ret_owned;
        return "";
}

/* Limits that the command ran into, also where it went on: a compiler that was short of memory, say. */
static int describe_hits(ToolRun *run, const cJSON *record) {
        const cJSON *hit;
        int r = 0;

        cJSON_ArrayForEach(hit, json_get(record, "hits")) {
                if (r >= 0 && cJSON_IsString(hit))
                        r = buf_printf(&run->result, "it ran into its limit of %s\n",
                                       hit->valuestring);
        }
        return r;
}

static int describe_end(ToolRun *run, const cJSON *record) {
        const char *cause = json_text(record, "cause");
        const cJSON *code = json_get(record, "code"), *signal = json_get(record, "signal");
        const char *why = json_text(record, "error");
        uint64_t wall = 0;
        char took[UNITS_TEXT_MAX];

        (void) json_number(record, "wall_usec", &wall);
        (void) units_format_duration(wall, took);
        if (!cause)
                cause = "unknown";
        if (strcmp(cause, "exited") == 0 && cJSON_IsNumber(code)) {
                run->failed = code->valueint != 0;
                return buf_printf(&run->result, "exit code %d after %s\n", code->valueint, took);
        }
        run->failed = true;
        if (cJSON_IsNumber(signal) && signal->valueint > 0)
                return buf_printf(&run->result, "ended after %s: %s (signal %d)\n", took, cause,
                                  signal->valueint);
        return buf_printf(&run->result, "ended after %s: %s%s%s\n", took, cause, why ? ": " : "",
                          why ? why : "");
}

int shell_describe(ToolRun *run, const cJSON *record, const char *text) {
        int r;

        r = describe_end(run, record);
        if (r >= 0)
                r = describe_hits(run, record);
        if (r < 0)
                return r;
        if (!*text)
                return buf_printf(&run->result, "(no output)\n");
        return output_append(&run->result, text,
                             run->failed ? run->output.failure_lines : run->output.success_lines);
}

int tool_bash(ToolRun *run, const cJSON *arguments, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        const cJSON *timeout = json_get(arguments, "timeout");
        double seconds = timeout ? timeout->valuedouble : BASH_TIMEOUT_SECONDS;
        cJSON *params = cJSON_CreateObject();
        autofree char *owned = NULL;
        int r;

        (void) json_add_text(params, "command", json_text(arguments, "command"));
        (void) json_add_number(params, "timeout_usec", (uint64_t) llround(seconds * 1e6));
        if (run->path)
                (void) json_add_text(params, "path", run->path);
        r = tool_call(run, "exec", params, &answer, err);
        if (r == LINK_E_REFUSED)
                return tool_refuse(run, &answer, err);
        if (r < 0)
                return r;
        return shell_describe(run, answer.result, shell_output(&answer, &owned));
}

int tool_verify(ToolRun *run, const cJSON *arguments, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject();
        const char *verdict, *digest;
        uint64_t left = 0;
        int r;

        (void) arguments;
        if (run->path)
                (void) json_add_text(params, "path", run->path);
        r = tool_call(run, "verify", params, &answer, err);
        if (r == LINK_E_REFUSED)
                return tool_refuse(run, &answer, err);
        if (r < 0)
                return r;
        verdict = json_text(answer.result, "verdict");
        digest = json_text(answer.result, "digest");
        (void) json_number(answer.result, "left", &left);
        run->failed = !verdict || strcmp(verdict, "passed") != 0;
        r = buf_printf(&run->result, "verdict: %s (%llu more allowed)\n",
                       verdict ? verdict : "none", (unsigned long long) left);
        if (r < 0 || !digest)
                return r;
        return output_append(&run->result, digest, run->output.failure_lines);
}
