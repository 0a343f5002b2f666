/*
 * task-nodes: see task-nodes.h. Paths come from an agent: they are as deep and as many as it likes, so the tree
 * has a fixed number of nodes, and one walk down is bounded by the length of a path.
 */
#include "cli/task-nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define DEPTH_MAX 32u

typedef struct Segment { /* "loop[2]": id "loop", item 2; "~1": a try */
        char id[TREE_NAME_MAX];
        bool has_item, is_try;
        uint64_t item;
} Segment;

/* The number in brackets at the end of the id, cut off */
static void take_item(Segment *segment) {
        size_t n = strlen(segment->id);
        char *open = strrchr(segment->id, '[');

        if (n == 0 || segment->id[n - 1] != ']' || !open || open == segment->id)
                return;
        segment->id[n - 1] = '\0';
        segment->has_item = units_parse_number(open + 1, &segment->item, NULL) == 0;
        if (segment->has_item)
                *open = '\0';
        else
                segment->id[n - 1] = ']';
}

/* The next part of a path. Returns: where the one behind it begins, NULL: this was none */
static const char *take_segment(const char *path, Segment *ret) {
        size_t n = strcspn(path, "/");

        if (n == 0)
                return NULL;
        *ret = (Segment){ 0 };
        (void) snprintf(ret->id, sizeof(ret->id), "%.*s", (int) n, path);
        if (n < sizeof(ret->id))
                take_item(ret);
        ret->is_try = ret->id[0] == '~' && units_parse_number(ret->id + 1, &ret->item, NULL) == 0;
        return path + n + (path[n] == '/');
}

static Node *find_step(const Node *parent, const char *id) {
        for (Node *child = parent->children; child; child = child->next)
                if (!child->is_instance && strcmp(child->id, id) == 0)
                        return child;
        return NULL;
}

static Node *find_instance(const Node *parent, uint64_t item) {
        for (Node *child = parent->children; child; child = child->next)
                if (child->is_instance && child->item == item)
                        return child;
        return NULL;
}

/* ---- forgetting ---------------------------------------------------------------------------------- */

void task_node_drop_children(TaskTree *tree, Node *node) {
        while (node->children) {
                Node *child = node->children;

                node->children = child->next;
                task_node_drop_children(tree, child);
                tree->n_nodes--;
                free(child);
        }
}

static void drop(TaskTree *tree, Node *node) {
        Node **at = &node->parent->children;

        while (*at && *at != node)
                at = &(*at)->next;
        if (*at)
                *at = node->next;
        task_node_drop_children(tree, node);
        tree->n_nodes--;
        free(node);
}

/* The first instance of @parent that has ended */
static Node *ended_instance(const Node *parent) {
        for (Node *child = parent->children; child; child = child->next)
                if (child->is_instance && !node_is_busy(child))
                        return child;
        return NULL;
}

static bool is_above(const Node *node, const Node *below) {
        for (; below; below = below->parent)
                if (below->parent == node)
                        return true;
        return false;
}

/* A step that has ended, still has something below it, and is not above @kept */
static Node *ended_parent(const Node *node, const Node *kept) {
        for (Node *child = node->children; child; child = child->next) {
                bool stays = node_is_busy(child) || is_above(child, kept);
                Node *inner = stays ? ended_parent(child, kept) : child->children ? child : NULL;

                if (inner)
                        return inner;
        }
        return NULL;
}

/* For one node more below @parent, which stays itself, with all above it */
static bool make_room(TaskTree *tree, const Node *parent) {
        Node *node;

        if (tree->n_nodes < TREE_NODES_MAX)
                return true;
        node = ended_parent(&tree->root, parent);
        tree->forgot = true;
        if (!node)
                return false;
        task_node_drop_children(tree, node);
        return true;
}

/* ---- making -------------------------------------------------------------------------------------- */

static Node *add_child(TaskTree *tree, Node *parent) {
        Node **at = &parent->children;
        Node *node = make_room(tree, parent) ? calloc(1, sizeof(*node)) : NULL;

        if (!node)
                return NULL;
        *node = (Node){ .parent = parent, .state = NODE_RUNNING, .started_usec = tree->last_usec };
        while (*at)
                at = &(*at)->next;
        *at = node;
        tree->n_nodes++;
        return node;
}

static Node *step_of(TaskTree *tree, Node *parent, const char *id) {
        Node *node = find_step(parent, id);

        if (node)
                return node;
        node = add_child(tree, parent);
        if (node)
                (void) snprintf(node->id, sizeof(node->id), "%s", id);
        return node;
}

static unsigned count_children(const Node *node) {
        unsigned n = 0;

        for (const Node *child = node->children; child; child = child->next)
                n++;
        return n;
}

/* Of a loop the iterations before this one have ended, and their steps are forgotten */
static void retire(TaskTree *tree, Node *parent) {
        Node *old;

        while (node_is_loop(parent) && parent->children) {
                parent->failed += parent->children->state == NODE_FAILED;
                parent->ended++;
                drop(tree, parent->children);
        }
        while (count_children(parent) >= TREE_ITEMS_MAX && (old = ended_instance(parent))) {
                parent->failed += old->state == NODE_FAILED;
                parent->ended++;
                drop(tree, old);
        }
}

static Node *instance_of(TaskTree *tree, Node *parent, uint64_t item) {
        Node *node = find_instance(parent, item);

        if (node)
                return node;
        if (node_is_loop(parent) && item < parent->iteration)
                return NULL; /* late news of an iteration that is forgotten */
        retire(tree, parent);
        parent->has_instances = true;
        if (item > parent->iteration)
                parent->iteration = item;
        node = add_child(tree, parent);
        if (!node)
                return NULL;
        node->is_instance = true;
        node->item = item;
        return node;
}

/* A path that names no iteration ("loop/code"): the one that is said beside it, of the innermost loop */
static Node *implied_instance(TaskTree *tree, Node *parent, const char *rest, uint64_t iteration) {
        if (!*rest || !node_is_loop(parent))
                return parent;
        if (iteration == 0 || strchr(rest, '/')) /* then it is said of a loop further in */
                iteration = parent->iteration > 0 ? parent->iteration : 1;
        return instance_of(tree, parent, iteration);
}

/* What an earlier try did is forgotten; NULL: this is news of one */
static Node *try_of(TaskTree *tree, Node *node, uint64_t number) {
        if (number < node->tries)
                return NULL;
        if (number > node->tries)
                task_node_drop_children(tree, node);
        node->tries = number;
        return node;
}

Node *task_node_at(TaskTree *tree, const char *path, uint64_t iteration) {
        Node *node = &tree->root;
        Segment segment;

        for (unsigned depth = 0; node && *path; depth++) {
                const char *rest = depth < DEPTH_MAX ? take_segment(path, &segment) : NULL;

                if (!rest)
                        return NULL;
                if (segment.is_try && node != &tree->root) {
                        node = try_of(tree, node, segment.item);
                } else {
                        node = step_of(tree, node, segment.id);
                        if (node && segment.has_item)
                                node = instance_of(tree, node, segment.item);
                        else if (node)
                                node = implied_instance(tree, node, rest, iteration);
                }
                path = rest;
        }
        return node == &tree->root ? NULL : node;
}

void task_node_end(Node *node, NodeState state, uint64_t usec) {
        for (Node *child = node->children; child; child = child->next)
                if (node_is_busy(child))
                        task_node_end(child, state == NODE_DONE ? NODE_DONE : NODE_STOPPED, usec);
        node->state = state;
        node->ended_usec = usec;
}

Node *task_tree_find(TaskTree *tree, const char *path) {
        Node *node = &tree->root;
        Segment segment;

        while (node && *path) {
                path = take_segment(path, &segment);
                if (path && segment.is_try)
                        continue;
                node = path ? find_step(node, segment.id) : NULL;
                if (node && segment.has_item)
                        node = find_instance(node, segment.item);
                else if (node && *path && node_is_loop(node) && node->children)
                        node = node->children; /* a loop keeps one */
        }
        return node == &tree->root ? NULL : node;
}
