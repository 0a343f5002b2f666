/*
 * task-word: see task-word.h.
 */
#include "cli/task-word.h"

#include <errno.h>

#include "base/ids.h"

int task_word(const VerbCall *call, int most, Error *err) {
        if (call->n_words == 0)
                (void) error_say(err, -EINVAL,
                                 "Name one task, by its id: 'warder task list' lists them.");
        else if (!id_is_valid('t', call->words[0]))
                (void) error_say(err, -EINVAL,
                                 "'%.80s' is no id of a task: 'warder task list' lists them.",
                                 call->words[0]);
        else if (call->n_words > most)
                (void) error_say(err, -EINVAL, "'%.80s' is one word too many.", call->words[most]);
        else
                return 0;
        return VERB_E_USAGE;
}
