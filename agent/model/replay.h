#pragma once
/*
 * replay: a recorded model. A transcript is a JSON list of
 *
 *   {"role": "developer", "turn": 2, "expect": "text", "reply": {"content": "…",
 *    "tool_calls": [{"name": "edit", "arguments": {…}}]}}
 *
 * An entry answers the turn-th call of its role, and only if the thread's last message contains `expect`.
 * Everything else ends the run: a transcript is evidence of what happens with these replies, so a default
 * reply would make it worthless.
 */
#include "agent/model/provider.h"

#define REPLAY_TEXT_MAX (16 * 1024 * 1024)

/**
 * replay_new() - read a transcript
 * @fd: borrowed, read from its start
 *
 * Returns: 0; -EINVAL with the JSON path of the fault; other negative errno.
 */
int replay_new(int fd, Provider **ret_provider, Error *err);

/** replay_new_text() - the same from memory */
int replay_new_text(const char *text, size_t n, Provider **ret_provider, Error *err);
