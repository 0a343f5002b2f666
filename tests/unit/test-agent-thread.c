/* thread, output, answer: what a model gets to see, and what is taken from it. */
#include <string.h>

#include "agent/memory/thread.h"
#include "agent/tools/output.h"
#include "agent/workflow/answer.h"
#include "tests/tap.h"

static void add_turn(Thread *thread, const char *result) {
        char id[] = "c", name[] = "read", arguments[] = "{}";
        ToolCall call = { id, name, arguments };

        (void) thread_add_reply(thread, "look", &call, 1);
        (void) thread_add_result(thread, "c", result);
}

static void trims_whole_turns(void) {
        SCOPED(thread_free) Thread *thread = NULL;
        char large[4001];
        unsigned calls = 0, results = 0;

        memset(large, 'x', 4000);
        large[4000] = '\0';
        (void) thread_new(&thread);
        (void) thread_add_text(thread, MESSAGE_SYSTEM, "you are", true);
        (void) thread_add_text(thread, MESSAGE_USER, "do it", true);
        for (unsigned i = 0; i < 10; i++)
                add_turn(thread, large);
        ok(thread_tokens(thread) > 10000, "ten results of 4000 bytes are above 10000 tokens");
        is_number(thread_trim(thread, 5000), 6, "six turns go");
        ok(thread_tokens(thread) <= 5000, "and the rest fits");
        is_number(thread->messages[0].kind, MESSAGE_SYSTEM, "the system prompt stays");
        is_text(thread->messages[1].text, "do it", "the task stays");
        for (unsigned i = 0; i < thread->n; i++) {
                calls += thread->messages[i].n_calls;
                results += thread->messages[i].kind == MESSAGE_RESULT;
        }
        is_number(calls, results, "no result without its call");
        is_number(thread_trim(thread, 10), 2, "far below");
        is_number(thread->n, 2 + 2 * THREAD_KEEP_TURNS, "the newest turns stay all the same");
        is_number(thread->dropped, 8, "what went is counted");
        is_text(thread_last(thread), large, "the last message is the newest result");
}

static const char *cut(const char *text, unsigned lines) {
        static char shown[1024];
        Buf buf = BUF_EMPTY(64 * 1024);

        (void) output_append(&buf, text, lines);
        (void) snprintf(shown, sizeof(shown), "%s", buf.data ? buf.data : "");
        buf_deinit(&buf);
        return shown;
}

static void cuts_output(void) {
        char line[2 * OUTPUT_LINE_MAX];
        Buf buf = BUF_EMPTY(64 * 1024);
        autofree char *clip = NULL;

        is_text(cut("a\nb\nc\n", 3), "a\nb\nc\n", "what fits stays");
        is_text(cut("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", 5),
                "1\n2\n[… 5 lines left out …]\n8\n9\n10\n",
                "head and tail, and how much is missing");
        is_text(cut("", 5), "", "nothing");
        is_text(cut("no line end", 5), "no line end", "a last line without end");
        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 1] = '\0';
        (void) output_append(&buf, line, 5);
        ok(buf.len < OUTPUT_LINE_MAX + 100, "a long line is cut");
        has_text(buf.data, "1999 bytes of this line left out", "and says so");
        buf_deinit(&buf);
        clip = output_clip("aé", 2);
        is_text(clip, "a…", "a cut does not split a character");
}

static const char *answer(const char *text, const char *schema_text) {
        static char shown[1024];
        SCOPED(json_free) cJSON *schema = NULL, *value = NULL;
        char fault[ERROR_TEXT_MAX] = "";
        autofree char *printed = NULL;

        if (schema_text)
                (void) json_parse(schema_text, strlen(schema_text), 0, &schema, NULL);
        if (answer_read(text, schema, &value, fault) == 0)
                printed = json_print(value);
        (void) snprintf(shown, sizeof(shown), "%s%s",
                        printed ? printed : "misfit: ", printed ? "" : fault);
        return shown;
}

static void reads_answers(void) {
        static const char schema[] = "{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{"
                                     "\"n\":{\"type\":\"integer\"}}}";

        is_text(answer("hello", NULL), "{\"text\":\"hello\"}", "without a schema: the text");
        is_text(answer(" {\"n\": 1}\n", schema), "{\"n\":1}", "JSON");
        is_text(answer("```json\n{\"n\": 1}\n```", schema), "{\"n\":1}", "JSON in a fence");
        is_text(answer("```\n{\"n\": 1}\n```\n", schema), "{\"n\":1}", "in a fence without a name");
        has_text(answer("Here: {\"n\": 1}", schema), "misfit: it is no JSON", "JSON with words");
        has_text(answer("{\"n\": \"1\"}", schema), "misfit: /n", "another type");
        has_text(answer("{}", schema), "misfit", "a member that is missing");
        has_text(answer("", schema), "misfit", "nothing");
        is_text(answer("just words", "{\"type\":\"string\"}"), "\"just words\"",
                "a schema that takes a string takes the words");
        has_text(answer("``````", schema), "misfit", "an empty fence");
}

int main(void) {
        trims_whole_turns();
        cuts_output();
        reads_answers();
        return tap_end();
}
