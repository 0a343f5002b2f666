/*
 * ask: see ask.h. What a person says is no fault of the call, a no neither.
 */
#include "agent/tools/ask.h"

#include <string.h>

static int tell(ToolRun *run, const cJSON *answer) {
        const cJSON *value = json_get(answer, "answer");
        const char *comment = json_text(answer, "comment"),
                   *decision = json_text(answer, "decision");
        bool has = value && !cJSON_IsNull(value);
        int r;

        if (has)
                r = buf_printf(&run->result, "The answer: %s\n",
                               cJSON_IsString(value) ? value->valuestring : "(no text)");
        else if (decision && strcmp(decision, "expired") == 0)
                r = buf_printf(&run->result, "Nobody answered in time. Do what is safe without it, "
                                             "or say what is in the way.\n");
        else
                r = buf_printf(&run->result, "There is no answer: the person will not say.\n");
        if (r >= 0 && comment && *comment)
                r = buf_printf(&run->result, "%s\n", comment);
        return r;
}

int tool_ask(ToolRun *run, const cJSON *arguments, Error *err) {
        SCOPED(json_free) cJSON *answer = NULL;
        const cJSON *choices = json_get(arguments, "choices");
        cJSON *question;
        int r;

        if (!run->ask) {
                run->failed = true;
                return buf_printf(&run->result, "Nobody can be asked here.\n");
        }
        question = cJSON_CreateObject();
        (void) json_add_text(question, "text", json_text(arguments, "question"));
        if (choices)
                (void) json_add_consume(question, "choices", cJSON_Duplicate(choices, true));
        r = run->ask(run->asker, question, &answer, err);
        return r < 0 ? r : tell(run, answer);
}
