#pragma once
/*
 * guards: sees that a model goes round in circles (guard-rules.h), over the turns of one agent step. It counts calls and
 * turns, and reads nothing that the model says.
 */
#include "agent/memory/thread.h"
#include "agent/roles/guard-rules.h"

typedef struct Guards {
        const GuardRules *rules; /* borrowed */
        ToolCall last[2];        /* owned: name and arguments, the newest first */
        unsigned seen;           /* how many of them are there */
        unsigned same;           /* the newest call was made so often in a row */
        unsigned alternating;    /* calls in a row that take turns with one other */
        unsigned idle;           /* turns since the last edit */
        bool may_edit;           /* else no_edit does not hold */
        bool edited;             /* in the turn that runs */
} Guards;

/* What a guard says: nothing, or that its rule's number is reached. */
typedef enum GuardWord { GUARD_QUIET, GUARD_TELL, GUARD_END } GuardWord;

typedef struct GuardHit {
        GuardWord word;
        Guard guard;
        unsigned n; /* how often it was seen */
        unsigned end;
} GuardHit;

/** guards_init() - at the beginning of a step */
void guards_init(Guards *guards, const GuardRules *rules, bool may_edit);
/** guards_deinit() - release it */
void guards_deinit(Guards *guards);
/** guards_call() - a call. Returns: 0 and @ret_hit, or -ENOMEM */
int guards_call(Guards *guards, const ToolCall *call, GuardHit *ret_hit);
/** guards_made() - a call that was made; @good: its tool did what was asked */
void guards_made(Guards *guards, const ToolCall *call, bool good);
/** guards_turn() - a turn with calls is over */
GuardHit guards_turn(Guards *guards);
/** guards_count() - is the number of @guard reached by @n */
GuardHit guards_count(const GuardRules *rules, Guard guard, unsigned n);

/** guards_line_edits() - does this shell line change files, as far as its text shows */
bool guards_line_edits(const char *line);

/** guards_notice() - what the model is told: fresh text; NULL: no memory */
char *guards_notice(const GuardHit *hit);
/** guards_reason() - how the run ended, for people: "the same call was made 5 times in a row (same_call: 5)" */
void guards_reason(const GuardHit *hit, char *text, size_t size);
