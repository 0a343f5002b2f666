#pragma once
/*
 * check: `warder-agent --check`: no task, no socket. A workflow and its roles come on stdin, and what the agent
 * would say of them goes to stdout; `warder workflow` is its user.
 */

/**
 * check_main() - {"workflow": object, "roles": {name: role}} from stdin; {"good": true, "tree": …} or
 * {"good": false, "fault": "workflow NAME: /json/path: what is wrong", "faults": [all of them, FAULTS_MAX
 * at most], "more": how many besides} to stdout
 *
 * @title: the first argument of our program (jq_worker_new())
 *
 * The process locks itself down before it reads.
 *
 * Returns: the exit code: 0 good, 1 not good, 2 it could not be found out.
 */
int check_main(char *title);
