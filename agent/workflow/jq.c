/*
 * jq: the program is one chain over the number of the wanted expression:
 *
 *   .n as $n | .data | if $n == 0 then (EXPRESSION 0
 *   ) elif $n == 1 then (EXPRESSION 1
 *   ) else null end
 *
 * The line break before each closing bracket ends a comment in an expression. libjq reads ~/.jq where
 * HOME is set; main() takes HOME away, so that a workflow means the same everywhere.
 *
 * Rejected: a compile an expression (14 ms each), and libjq's own values through the agent (two trees of
 * everything; printing and parsing a state of some kilobytes takes microseconds). Who calls this is jq-worker.c, a
 * process of its own.
 */
#include "agent/workflow/jq.h"

#include <jq.h>
#include <string.h>

#include "base/buf.h"

#define JQ_PROGRAM_MAX (256 * 1024)

struct JqProgram {
        jq_state *jq;  /* owned */
        Error message; /* libjq's first complaint since it was cleared */
};

/* libjq reports a fault and then that there was one; the first says what. */
static void keep_message(void *userdata, jv message) {
        JqProgram *program = userdata;
        jv text = jq_format_error(message);

        if (!program->message.code && jv_get_kind(text) == JV_KIND_STRING)
                (void) error_say(&program->message, -EINVAL, "%s", jv_string_value(text));
        jv_free(text);
}

JqProgram *jq_program_free(JqProgram *program) {
        if (program && program->jq)
                jq_teardown(&program->jq);
        free(program);
        return NULL;
}

/*
 * Its first line, without what is said for a command line: "jq: error: syntax error, unexpected $end (Unix shell
 * quoting issues?) at <top-level>, line 1:".
 */
static void tidy(char *text) {
        static const char *const said[] = { "jq: error: ", " (Unix shell quoting issues?)",
                                            " at <top-level>" };
        size_t n;

        text[strcspn(text, "\n")] = '\0';
        for (size_t i = 0; i < ELEMENTS(said); i++) {
                char *at = strstr(text, said[i]);

                if (at)
                        memmove(at, at + strlen(said[i]), strlen(at + strlen(said[i])) + 1);
        }
        n = strlen(text);
        if (n > 0 && text[n - 1] == ':')
                text[n - 1] = '\0';
}

static int compile(const char *text, JqProgram **ret_program, Error *err) {
        SCOPED(jq_program_free) JqProgram *program = calloc(1, sizeof(*program));

        if (!program)
                return error_set(err, -ENOMEM, "compile jq");
        program->jq = jq_init();
        if (!program->jq)
                return error_set(err, -ENOMEM, "compile jq");
        jq_set_error_cb(program->jq, keep_message, program);
        if (!jq_compile(program->jq, text)) {
                tidy(program->message.text);
                return error_say(err, -EINVAL, "%s", program->message.text);
        }
        *ret_program = TAKE_PTR(program);
        return 0;
}

int jq_check(const char *text, Error *err) {
        SCOPED(jq_program_free) JqProgram *program = NULL;

        return compile(text, &program, err);
}

static int chain(const char *const *texts, unsigned n, Buf *buf) {
        int r = buf_printf(buf, ".n as $n | .data |");

        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = buf_printf(buf, " %s $n == %u then (%s\n)", i ? "elif" : "if", i, texts[i]);
        return r < 0 ? r : buf_printf(buf, " else null end");
}

/* Which one is it? Slow, but only for a workflow that cannot run. */
static unsigned find_culprit(const char *const *texts, unsigned n, Error *err) {
        for (unsigned i = 0; i < n; i++) {
                SCOPED(jq_program_free) JqProgram *program = NULL;

                if (compile(texts[i], &program, err) < 0)
                        return i;
        }
        return n;
}

int jq_program_new(const char *const *texts, unsigned n, JqProgram **ret_program,
                   unsigned *ret_culprit, Error *err) {
        Buf buf = BUF_EMPTY(JQ_PROGRAM_MAX);
        autofree char *text = NULL;
        int r;

        *ret_culprit = n;
        r = chain(texts, n, &buf);
        text = buf_take(&buf);
        buf_deinit(&buf);
        if (r < 0 || !text)
                return error_say(err, r < 0 ? r : -ENOMEM,
                                 "the workflow's expressions are above %d bytes", JQ_PROGRAM_MAX);
        r = compile(text, ret_program, err);
        if (r == -EINVAL)
                *ret_culprit = find_culprit(texts, n, err);
        return r;
}

static int take_value(JqProgram *program, jv value, char **ret_value, Error *err) {
        if (!jv_is_valid(value)) {
                jv message = jv_invalid_get_msg(value);

                if (jv_get_kind(message) == JV_KIND_STRING)
                        (void) error_say(err, -EINVAL, "%s", jv_string_value(message));
                else
                        (void) error_say(err, -EINVAL, "it gave no value");
                jv_free(message);
                return -EINVAL;
        }
        if (jq_halted(program->jq)) {
                jv_free(value);
                return error_say(err, -EINVAL, "it halted");
        }
        jv text = jv_dump_string(value, 0);

        *ret_value = strdup(jv_string_value(text));
        jv_free(text);
        return *ret_value ? 0 : error_set(err, -ENOMEM, "evaluate");
}

void jq_program_on_no_memory(JqProgram *program, void (*handler)(void *userdata)) {
        jq_set_nomem_handler(program->jq, handler, NULL);
}

int jq_program_eval(JqProgram *program, unsigned index, const char *data, char **ret_value,
                    Error *err) {
        jv input, parsed = jv_parse(data);

        if (!jv_is_valid(parsed)) {
                jv_free(parsed);
                return error_say(err, -EINVAL, "libjq does not read the state");
        }
        input = jv_object_set(jv_object(), jv_string("n"), jv_number(index));
        input = jv_object_set(input, jv_string("data"), parsed);
        program->message = ERROR_EMPTY;
        jq_start(program->jq, input, 0);
        return take_value(program, jq_next(program->jq), ret_value, err);
}
