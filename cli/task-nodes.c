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

typedef struct Segment { /* "loop[2]": id "loop", item 2 */
        char id[TREE_NAME_MAX];
        uint64_t item;
} Segment;

/* The number in brackets at the end of @text, cut off; 0 where there is none */
static uint64_t take_item(char *text) {
        size_t n = strlen(text);
        char *open = strrchr(text, '[');
        uint64_t item = 0;

        if (n == 0 || text[n - 1] != ']' || !open || open == text)
                return 0;
        text[n - 1] = '\0';
        if (units_parse_number(open + 1, &item, NULL) < 0 || item == 0) {
                text[n - 1] = ']';
                return 0;
        }
        *open = '\0';
        return item;
}

/* The next part of a path. Returns: where the one behind it begins, NULL: this was none */
static const char *take_segment(const char *path, Segment *ret) {
        size_t n = strcspn(path, "/");

        if (n == 0)
                return NULL;
        (void) snprintf(ret->id, sizeof(ret->id), "%.*s", (int) n, path);
        ret->item = n < sizeof(ret->id) ? take_item(ret->id) : 0;
        return path + n + (path[n] == '/');
}

static Node *find_child(const Node *parent, const char *id, uint64_t item) {
        for (Node *child = parent->children; child; child = child->next)
                if (child->item == item && strcmp(child->id, id) == 0)
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
                if (child->item > 0 && !node_is_busy(child))
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

static Node *add_child(TaskTree *tree, Node *parent, const char *id, uint64_t item) {
        Node **at = &parent->children;
        Node *node = make_room(tree, parent) ? calloc(1, sizeof(*node)) : NULL;

        if (!node)
                return NULL;
        *node = (Node){ .parent = parent, .item = item, .state = NODE_RUNNING };
        (void) snprintf(node->id, sizeof(node->id), "%s", id);
        node->started_usec = tree->last_usec;
        while (*at)
                at = &(*at)->next;
        *at = node;
        tree->n_nodes++;
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
        Node *node = find_child(parent, "", item);

        if (node)
                return node;
        if (node_is_loop(parent) && item < parent->iteration)
                return NULL; /* late news of an iteration that is forgotten */
        retire(tree, parent);
        if (item > parent->iteration)
                parent->iteration = item;
        return add_child(tree, parent, "", item);
}

/* A path that names no iteration ("loop/code"): the one that is said beside it, of the innermost loop */
static Node *implied_instance(TaskTree *tree, Node *parent, const char *rest, uint64_t iteration) {
        if (!*rest || !node_is_loop(parent))
                return parent;
        if (iteration == 0 || strchr(rest, '/')) /* then it is said of a loop further in */
                iteration = parent->iteration > 0 ? parent->iteration : 1;
        return instance_of(tree, parent, iteration);
}

Node *task_node_at(TaskTree *tree, const char *path, uint64_t iteration) {
        Node *node = &tree->root;
        Segment segment;

        for (unsigned depth = 0; node && *path; depth++) {
                const char *rest = depth < DEPTH_MAX ? take_segment(path, &segment) : NULL;
                Node *child;

                if (!rest)
                        return NULL;
                child = find_child(node, segment.id, 0);
                node = child ? child : add_child(tree, node, segment.id, 0);
                if (node && segment.item > 0)
                        node = instance_of(tree, node, segment.item);
                else if (node)
                        node = implied_instance(tree, node, rest, iteration);
                path = rest;
        }
        if (!node)
                tree->forgot = true;
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
                node = path ? find_child(node, segment.id, 0) : NULL;
                if (node && segment.item > 0)
                        node = find_child(node, "", segment.item);
                else if (node && *path && node_is_loop(node) && node->children)
                        node = node->children; /* a loop keeps one */
        }
        return node == &tree->root ? NULL : node;
}
