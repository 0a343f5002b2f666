#pragma once
/*
 * task-nodes: the nodes of a task's tree: found and made by their path, and forgotten where there are too many.
 */
#include "cli/task-tree.h"

/**
 * task_node_at() - the node of an instance path, made with all above it where it is missing
 * @iteration: of the innermost loop, for paths that do not say it; 0: none
 *
 * Returns: the node; NULL where the path is none, is about what is forgotten, or there is no room for it.
 */
Node *task_node_at(TaskTree *tree, const char *path, uint64_t iteration);

/** task_node_end() - @node and all that runs in it ends at this time */
void task_node_end(Node *node, NodeState state, uint64_t usec);

/** task_node_drop_children() - forget what is below */
void task_node_drop_children(TaskTree *tree, Node *node);
