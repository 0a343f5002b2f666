#pragma once
/*
 * questions: what tasks have asked people, as rows of the ledger; the rows are the truth, and nothing here is
 * kept in memory. A question is asked once and decided once; both are on disk when the call returns.
 *
 *   open       asked; waits
 *   approved   rejected   answered: by a person
 *   expired    its time is over: that counts as no, or as the answer that the workflow names for it
 *   withdrawn  the task has ended, or asks something else at the same place: no answer is taken any more
 */
#include "base/digest.h"
#include "base/ids.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/tasks/answer-rules.h"

#define QUESTIONS_PER_TASK_MAX 200u
#define QUESTIONS_OPEN_MAX     8u /* of one task, at a time */
#define QUESTION_PATH_MAX      600
#define QUESTION_TEXT_MAX      16384u
#define QUESTION_PLAN_MAX      65536u
#define ANSWER_COMMENT_MAX     4096u
#define ANSWER_VALUE_MAX       16384u /* bytes of an answer as JSON */
#define QUESTION_BY_NOBODY     (-1)

typedef enum Decision {
        DECISION_OPEN = 0,
        DECISION_APPROVED,
        DECISION_REJECTED,
        DECISION_ANSWERED,
        DECISION_EXPIRED,
        DECISION_WITHDRAWN,
        _DECISION_MAX,
} Decision;

typedef struct Question { /* a row */
        char id[ID_MAX];  /* "q-…" */
        char task[ID_MAX];
        uint32_t owner_uid; /* of the task */
        unsigned n;         /* of the task's, from 1 */
        char path[QUESTION_PATH_MAX];
        uint8_t key[DIGEST_SIZE]; /* of all that is asked: another text is another question */
        int64_t row;              /* of the ledger: they grow in the order in which was asked */
        size_t bytes;             /* of what was asked */
        cJSON *what;              /* owned: as the agent asked it */
        AnswerRules rules;
        bool has_patch; /* what the task had changed when it asked */
        uint8_t patch[DIGEST_SIZE];
        uint64_t asked_usec, until_usec;
        Decision decision;
        cJSON *answer; /* owned; NULL: none */
        char *comment; /* owned; NULL: none */
        uint64_t decided_usec;
        int64_t by_uid; /* QUESTION_BY_NOBODY: its time, or its task's end */
} Question;

#define QUESTION_EMPTY ((Question){ .by_uid = QUESTION_BY_NOBODY })

/** question_deinit() - free what it owns */
void question_deinit(Question *question);
static inline void question_deinit_scoped(Question *question) {
        question_deinit(question);
}

/** decision_name() - "approved"; "open" where there is none yet */
const char *decision_name(Decision decision);

/** questions_add() - a new one, open or as it was decided; on disk when this returns. Its number is made here */
int questions_add(Front *front, Question *question, Error *err);
/** questions_find() - by id. Returns: 0 and a row owned by the caller, -ENOENT with a sentence, -EIO */
int questions_find(Front *front, const char *id, Question *ret, Error *err);
/**
 * questions_find_asked() - the one that a task asks, or asked, with @key, if it was not withdrawn
 * Returns: as questions_find().
 */
int questions_find_asked(Front *front, const char *task, const uint8_t *key, Question *ret,
                         Error *err);
/** questions_only() - the only one that a task ever asked. Returns: 0, -ENOENT: none; -EEXIST: more than one; both with a sentence */
int questions_only(Front *front, const char *task, Question *ret, Error *err);
/** questions_count() - of a task: all, and those that are open */
int questions_count(Front *front, const char *task, unsigned *ret_all, unsigned *ret_open,
                    Error *err);

/**
 * questions_decide() - decide an open one: decision, answer, comment, decided_usec and by_uid of @question are
 * written, and on disk when this returns
 *
 * Returns: 0; -EALREADY: it is not open any more (nothing is changed); negative errno.
 */
int questions_decide(Front *front, const Question *question, Error *err);
/** questions_withdraw() - the open ones of a task; @path NULL: all, else those of this step */
int questions_withdraw(Front *front, const char *task, const char *path, Error *err);
/** questions_recover() - at start: what tasks that are over had asked is withdrawn */
int questions_recover(Front *front, Error *err);

/** questions_next() - when does the first open one expire. Returns: 0 and microseconds since 1970; -ENOENT: none is open */
int questions_next(Front *front, uint64_t *ret_usec);
/** questions_due() - one that is open though its time was over at @now. Returns: 0, -ENOENT */
int questions_due(Front *front, uint64_t now, Question *ret);

typedef enum QuestionPart { /* of a row, that are read only where they are needed: both may be long, and many */
                            QUESTION_RULES = 0,
                            QUESTION_WHAT = 1 << 0,
                            QUESTION_ANSWER = 1 << 1, /* and comment */
} QuestionPart;

typedef struct QuestionQuery {
        const char *task; /* borrowed; NULL: of all tasks, the open ones only */
        int64_t after;    /* this row */
        unsigned parts;   /* QUESTION_*: the others are NULL in what each gets */
} QuestionQuery;

/** QuestionFn - one row, borrowed. Returns: go on? */
typedef bool (*QuestionFn)(const Question *question, void *userdata);
/** questions_each() - oldest first */
void questions_each(Front *front, const QuestionQuery *query, QuestionFn each, void *userdata);

/**
 * question_json() - as task.show tells it, fresh; NULL: no memory
 * @whole: with all that was asked; else without plan and schema, and the text cut
 */
cJSON *question_json(const Question *question, bool whole);
/** question_json_outside() - that somebody is waited for, without what was asked and answered; likewise */
cJSON *question_json_outside(const Question *question);
