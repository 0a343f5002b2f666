/* verify-event: see verify-event.h. */
#include "supervisor/front/gate/verify-event.h"

#include <string.h>

#include "base/escape.h"

typedef struct Room {
        size_t left; /* bytes of names */
        bool cut;
} Room;

static void add_names(cJSON *tests, const RunCommand *run, const char *member, uint32_t status,
                      Room *room) {
        cJSON *list = json_add_array(tests, member);

        for (size_t i = 0; i < run->n_tests; i++) {
                size_t n = strlen(run->tests[i].name) + 4;

                if (run->tests[i].status != status)
                        continue;
                if (n > room->left) {
                        room->cut = true;
                        return;
                }
                room->left -= n;
                json_push_text(list, run->tests[i].name);
        }
}

static void add_tests(cJSON *data, const RunCommand *run, size_t max) {
        Room room = { .left = max, .cut = run->names_cut };
        cJSON *tests = json_add_object(data, "tests");

        add_names(tests, run, "failed", TEST_FAILED, &room);
        add_names(tests, run, "skipped", TEST_SKIPPED, &room);
        add_names(tests, run, "passed", TEST_PASSED, &room);
        json_add_bool(data, "names_cut", room.cut);
}

/* A quarter from the head, the rest from the tail, on whole lines where there are any. */
static void add_output(cJSON *data, const RunCommand *run, size_t max) {
        Buf text = BUF_EMPTY(4 * max + 64);
        size_t n = run->output ? strlen(run->output) : 0, head = n <= max ? n : max / 4;
        const char *tail = n <= max ? "" : run->output + n - (max - head);

        if (n == 0)
                return;
        while (n > max && head > 0 && run->output[head - 1] != '\n')
                head--;
        if (n > max && strchr(tail, '\n'))
                tail = strchr(tail, '\n') + 1;
        (void) escape_text(&text, run->output, head, 1);
        if (n > max)
                (void) buf_printf(&text, "[… %zu bytes left out …]\n",
                                  (size_t) (tail - run->output) - head);
        (void) escape_text(&text, tail, strlen(tail), 1);
        json_add_text(data, "output", text.data ? text.data : "");
        json_add_bool(data, "output_cut", run->output_cut || n > max);
        buf_deinit(&text);
}

cJSON *verify_event_command(const char *id, const RunCommand *run, bool is_kept) {
        cJSON *data = run ? run_command_json(run) : cJSON_CreateObject();

        if (!run) {
                json_add_text(data, "id", id);
                return data;
        }
        add_tests(data, run, is_kept ? TOLD_TASK_NAMES_MAX : TOLD_NAMES_MAX);
        add_output(data, run, is_kept ? TOLD_TASK_OUTPUT_MAX : TOLD_OUTPUT_MAX);
        if (run->samples)
                json_add_consume(data, "samples", cJSON_Duplicate(run->samples, true));
        return data;
}

void verify_event_shorten(cJSON *data) {
        static const char *const members[] = { "tests", "names_cut", "output", "output_cut",
                                               "samples" };

        for (size_t i = 0; i < ELEMENTS(members); i++)
                cJSON_DeleteItemFromObjectCaseSensitive(data, members[i]);
}
