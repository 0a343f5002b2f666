#pragma once
/*
 * task-tree: what is known of a task from its events alone: a tree of step instances, budgets, the last verdict,
 * what waits for a person. Folding one event after the other is all there is: the same events give the same
 * tree, whether they come now or are replayed. Texts are kept as they came; who shows them escapes them.
 *
 * An instance path is ids joined with "/", with "[n]" behind a loop's or foreach's id, and "~n" between them for a
 * further try: "loop[2]/code", "each[0]/work", "par/~1/lint". Of a loop only the newest iteration keeps its steps; of
 * a foreach the items that run, and some of those that ended; of tries the last one.
 */
#include "base/json.h"
#include "base/money.h"

#define TREE_NODES_MAX   512u /* above it what has ended is forgotten first */
#define TREE_ITEMS_MAX   16u  /* instances of one foreach that are kept */
#define TREE_TEXT_MAX    240u
#define TREE_NAME_MAX    72u
#define TREE_FAILING_MAX 8u
#define TREE_BUDGETS_MAX 16u

typedef enum NodeState {
        NODE_RUNNING,
        NODE_DONE,
        NODE_FAILED,
        NODE_SKIPPED,
        NODE_WAITING, /* for a person, or for its task to go on */
        NODE_STOPPED, /* had no end of its own: what it is part of ended */
        _NODE_STATE_MAX,
} NodeState;

typedef struct Node Node;
struct Node {
        Node *parent, *children, *next; /* in the order in which they were first heard of */
        char id[TREE_NAME_MAX];
        bool is_instance;   /* "[7]", of its parent; else a step */
        bool has_instances; /* its children are such */
        uint64_t item;      /* of an instance: its number */
        NodeState state;
        char kind[24];
        char role[TREE_NAME_MAX];
        uint64_t iteration;     /* newest of its instances */
        uint64_t of;            /* how many there may be; 0: not known */
        uint64_t tries;         /* further ones: 0 the first is not over */
        uint64_t ended, failed; /* instances that are forgotten, failed ones among them */
        uint64_t started_usec;  /* since 1970; 0: not heard */
        uint64_t ended_usec;
        uint64_t turns;            /* calls of a model */
        char doing[TREE_TEXT_MAX]; /* "bash make test" */
        char error[TREE_TEXT_MAX];
        char verdict[16];
};

typedef struct TreeBudget {
        char name[32];
        uint64_t used, most;
        char currency[MONEY_CURRENCY_MAX];
} TreeBudget;

typedef struct TreeVerdict {
        uint64_t n; /* 0: none yet */
        char verdict[16];
        char reason[TREE_TEXT_MAX];
        uint64_t run, passed, failed;
        char failing[TREE_FAILING_MAX][TREE_TEXT_MAX];
        unsigned n_failing; /* of all, also those beyond the array */
} TreeVerdict;

typedef struct TaskTree {
        char task[16];
        char state[16]; /* "" before the first event */
        char cause[TREE_NAME_MAX];
        char summary[4 * TREE_TEXT_MAX];
        uint64_t seq;                   /* of the last event */
        uint64_t first_usec, last_usec; /* times of the first and the last */
        Node root;                      /* its children are the workflow's steps */
        unsigned n_nodes;
        bool forgot; /* more steps than are kept */
        TreeBudget budgets[TREE_BUDGETS_MAX];
        unsigned n_budgets;
        TreeVerdict verdict;
        char question[TREE_TEXT_MAX]; /* that a person must answer; "": none */
        char asks[TREE_NAME_MAX];     /* the step that asks */
        char about[16];               /* what the question is about, in its own word */
        char note[TREE_TEXT_MAX];     /* the last notice, or the limit that was reached */
} TaskTree;

/** task_tree_fold() - take one event of formats.md in; what it does not know it leaves */
void task_tree_fold(TaskTree *tree, const cJSON *event);

/** task_tree_deinit() - release the nodes; the tree is empty again */
void task_tree_deinit(TaskTree *tree);

/** task_tree_find() - the node of an instance path, NULL where there is none (any more) */
Node *task_tree_find(TaskTree *tree, const char *path);

/** task_tree_has_ended() - is the task in a state that it stays in */
bool task_tree_has_ended(const TaskTree *tree);

/** node_is_loop() - of its kind: do instances follow one another */
bool node_is_loop(const Node *node);

/** node_is_busy() - does it run, or something in it */
bool node_is_busy(const Node *node);
