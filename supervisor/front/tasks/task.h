#pragma once
/*
 * task: one task from the request to its end.
 *
 *   queued      waits for a place; holds its descriptors, nothing runs
 *   preparing   the base is unpacked, setup runs, then two jails are made: the task's own (commands, files)
 *               and the agent's (no network, the task's socket)
 *   running     the agent runs; commands, verifies and searches are done for it
 *   suspended   waits for a person (task-ask.h): its clocks stand still, it has no client and keeps no place
 *               from others; goes on by the queue, or as running as soon as there is a place (task-still.h)
 *   (final)     verified unverified limit tampered error cancelled: nothing runs any more, jails are
 *               being taken down. The struct goes when the last of them is gone and every watcher was told
 *
 * task_end() is the only way to a final state, from any other, whoever asks and however deep in a callback:
 * it stops what runs, writes the ledger and tells the watchers; freeing happens from a source of its own.
 */
#include "base/ids.h"
#include "supervisor/front/commands/samples.h"
#include "supervisor/front/gate/patch-diff.h"
#include "supervisor/front/gate/receipts.h"
#include "supervisor/front/gate/verify.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/tasks/events.h"
#include "supervisor/front/tasks/task-steps.h"
#include "supervisor/front/tasks/tasks.h"

typedef enum TaskState {
        TASK_QUEUED = 0,
        TASK_PREPARING,
        TASK_RUNNING,
        TASK_SUSPENDED,
        TASK_VERIFIED, /* the first final one */
        TASK_UNVERIFIED,
        TASK_LIMIT,
        TASK_TAMPERED,
        TASK_ERROR,
        TASK_CANCELLED,
        _TASK_STATE_MAX,
} TaskState;

typedef enum TaskBudget { /* the breakers: each ends the task with its name */
                          BUDGET_VERIFIES = 0,
                          BUDGET_COMMANDS,
                          BUDGET_CALLS, /* of a model */
                          BUDGET_TOKENS,
                          BUDGET_MONEY, /* millionths; where its model has a price */
                          BUDGET_WALL_USEC,
                          BUDGET_CPU_USEC,     /* of its jails and its tests */
                          BUDGET_OUTPUT_BYTES, /* of its commands and its tests */
                          BUDGET_NO_PROGRESS,  /* verdicts running that brought nothing new */
                          _TASK_BUDGET_MAX,
} TaskBudget;

typedef enum TaskProvider { PROVIDER_REPLAY = 0, PROVIDER_OPENAI } TaskProvider;

#define TASK_CAUSE_MAX       48
#define TASK_SUMMARY_MAX     4096
#define TASK_NAME_MAX        80
#define TASK_BUDGET_TEXT_MAX MONEY_TEXT_MAX

typedef struct TaskModel {
        TaskProvider provider;
        char base_url[EGRESS_URL_MAX]; /* openai: where egress goes */
        char name[EGRESS_MODEL_MAX];
        char allowed[EGRESS_ALLOWED_MAX];  /* by the policy: see EgressRequest */
        Price price;                       /* all 0: none, and no money is counted */
        char currency[MONEY_CURRENCY_MAX]; /* "": it has no name */
        int fd;        /* owned: transcript, or memfd of the key, which is never read here */
        uint32_t port; /* of the listener in the agent's jail */
} TaskModel;

typedef struct TaskStep { /* "" where it is not known */
        char step[256];   /* "loop/check" */
        char path[600];   /* "loop[2]/check" */
        uint64_t iteration;
} TaskStep;

typedef struct TaskGate {       /* the way from the task's jail to a verdict: one at a time */
        struct AgentCall *call; /* who asked; NULL: the task's own end did */
        bool for_finish;
        PatchDiff *diff; /* owned */
        Verify *verify;  /* owned */
        int patch_fd;    /* owned: the patch that is being judged */
        uint8_t patch[DIGEST_SIZE];
        bool has_verdict;
        VerdictKind last;
        uint64_t fork;                   /* whose work is being judged; 0: the task's own */
        uint8_t last_patch[DIGEST_SIZE]; /* that the last verdict is about */
        unsigned tampered;
        uint8_t (*seen)
                [DIGEST_SIZE]; /* owned: patches and failures of all verdicts: task-progress.c */
        size_t n_seen;
        TaskStep begun; /* the step that the agent began last, as it says: for events */
        TaskStep at;    /* that the verify is for */
        uint64_t own_used, own_most; /* of a limit of the agent's own that it gave up at */
} TaskGate;

struct Task {
        Front *front; /* borrowed */
        Task *next;   /* in the list of tasks, oldest first */
        char id[ID_MAX];
        uint64_t number;
        TaskState state;
        char cause[TASK_CAUSE_MAX];
        char summary[TASK_SUMMARY_MAX];
        uint32_t owner_uid;
        bool keep;
        Client *client; /* borrowed; ends with it, unless kept */
        uint64_t created_usec, ended_usec;
        uint64_t
                started_usec; /* monotonic, as if all its running had been in one; 0: its clock stands */
        unsigned run;         /* counts its runs: what an earlier one began says so (TaskRef) */
        unsigned restarts; /* of them after a loss */
        bool is_parking;   /* task_park() waits for commits */
        bool was_running;  /* it was lost while it ran: tasks.c takes it up */

        char *request; /* owned, as all below */
        char *origin; /* what the caller says that the base is, as JSON; NULL: nothing, or on disk already */
        VerifySpec *spec;
        cJSON *workflow;
        cJSON *roles;
        char snapshot[TASK_NAME_MAX];
        PolicyUse policy;
        JailLimits limits;        /* of the task's jail */
        AnswerRules people;       /* who may answer what it asks */
        PolicyUse verify_policy;  /* of setup and the tests */
        JailLimits verify_limits; /* likewise */
        TaskModel model;
        uint64_t budget[_TASK_BUDGET_MAX];
        uint64_t used[_TASK_BUDGET_MAX];
        GateMeter meter;              /* of commands that have ended: tests, output */
        uint64_t jail_cpu_usec[2];    /* of the task's and the agent's jail, as last read */
        sd_event_source *meter_timer; /* owned */
        Samples *samples;             /* owned: of the task's jail */

        cJSON *params;        /* owned: of task.start, to be kept for a replay */
        size_t replies_bytes; /* recorded so far */
        bool is_replay;       /* its base is there already */
        uint8_t replay_base[DIGEST_SIZE];
        char replay_of
                [ID_MAX]; /* what people decided there is decided here: nobody is asked again */
        int tar_fd;       /* owned, like the next: until work_base_start() */
        int held_fd;      /* held-back tests; -EBADF: none */
        WorkBaseJob *base_job;
        WorkBase base;
        char jail[ID_MAX]; /* "" until it is ready */
        char agent_jail[ID_MAX];
        FrontJail *making[2]; /* borrowed: the jails, while they are being made */
        unsigned pending;     /* callbacks of jails and commands that will still come */
        bool egress_open;
        struct AgentSocket *socket;
        sd_event_source *wall;
        sd_event_source *reap;
        Events events;
        Receipt receipt;
        TaskGate gate;
        TaskSteps steps;
        struct TaskCommits *commits; /* owned: task-commit.h */
        PatchDiff *ask_diff;         /* owned: for a question */
        bool has_asked;
        unsigned holds;          /* times that it stood still, its agent and jails as they were */
        bool is_idle;            /* its agent says that nothing of it runs but questions */
        bool is_still;           /* suspended with agent and jails: task-still.h */
        bool wants_place;        /* and there is something to do for it */
        JailHold *hold;          /* owned: its jail, while it is so */
        struct TaskFork *forks;  /* owned list: task-fork.h */
        struct TaskMerge *merge; /* owned: task-merge.h; NULL: none is under way */
        uint64_t n_forks;        /* made so far */
};

/** task_state_name() - "running" */
const char *task_state_name(TaskState state);
/** task_budget_name() - "verifies", "wall_usec" */
const char *task_budget_name(TaskBudget budget);
/** task_limit_name() - "verifies", "wall": the cause of an end by it, and its name in a request */
const char *task_limit_name(TaskBudget budget);
/** task_has_budget() - is it counted at all: money is where there is a price */
bool task_has_budget(const Task *task, TaskBudget budget);
/** task_budget_text() - so much of it, as people read it: into @text of TASK_BUDGET_TEXT_MAX. Returns: @text */
const char *task_budget_text(const Task *task, TaskBudget budget, uint64_t value, char *text);
/** task_is_final() */
bool task_is_final(const Task *task);

/** task_new() - empty, queued, with an id. Returns: 0 or negative errno */
int task_new(Front *front, Task **ret, Error *err);
/** task_free() - of a task of which nothing is pending; NULL is fine. Returns: NULL */
Task *task_free(Task *task);
DEFINE_SCOPED(Task *, task_free);

/** task_set_state() - the only writer of state (to a final one: task_end()); checks, records, tells */
void task_set_state(Task *task, TaskState state);

/**
 * task_end() - the end, by name
 * @state: final
 * @cause: a word for machines; NULL: none
 * @why:   a sentence; NULL: none
 *
 * Does nothing where the task has ended already: the first cause stands.
 */
void task_end(Task *task, TaskState state, const char *cause, const char *why);
/** task_fail() - task_end() with `error` and the reason */
void task_fail(Task *task, const char *cause, const Error *err);

typedef struct TaskRef { /* what a callback of a jail or a command gets: owned by it */
        Task *task;
        unsigned run;
        unsigned which;
} TaskRef;

/** task_ref_new() - counted in pending; NULL: no memory */
TaskRef *task_ref_new(Task *task, unsigned which);
/** task_ref_done() - the callback has come: free it. Returns: the task, or NULL where it has ended or runs anew; then nothing is to be done */
Task *task_ref_done(TaskRef *ref_consume);
/** task_stop_run() - end agent, jails, route, clocks and all that is under way; what still answers is of an earlier run */
void task_stop_run(Task *task);

/** task_trip() - a breaker: the event `limit` with its figures, then the end by that name, a task_limit_name() */
void task_trip(Task *task, const char *limit, const char *why);
/** task_spend() - count @n against a budget. Returns: true, or false and the task has ended with `limit` */
bool task_spend(Task *task, TaskBudget budget, uint64_t n);
/** task_count() - what is used already, whether it fits or not; kept on disk. Then task_spend() of 0 says whether it did */
void task_count(Task *task, TaskBudget budget, uint64_t n);
/** task_used_now() - of one budget; wall time as it is now */
uint64_t task_used_now(const Task *task, TaskBudget budget);
/** task_used() - {"verifies": [2, 5], …}: used, and at most; of money its currency, too; fresh; NULL: no memory */
cJSON *task_used(const Task *task);

/** task_pending_done() - a callback that was counted in pending has come */
void task_pending_done(Task *task);
/** task_reap_soon() - look whether the struct can go, from a source of its own */
void task_reap_soon(Task *task);
/** task_jail() - the task's own jail; NULL where it is not (or no longer) ready */
FrontJail *task_jail(const Task *task);
/** task_follow_client() - the task is cancelled when @client goes */
int task_follow_client(Task *task, Client *client, Error *err);
/** task_unfollow_client() - it goes on without its client */
void task_unfollow_client(Task *task);
