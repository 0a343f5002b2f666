#pragma once
/*
 * openai: a model behind an endpoint that speaks OpenAI's Chat Completions, which is also what llama.cpp,
 * vLLM, Ollama and most others speak. The endpoint is the supervisor's listener on loopback; the key is
 * added behind it.
 */
#include "agent/loop.h"
#include "agent/model/provider.h"

/**
 * openai_new() - a provider
 * @base_url: "http://127.0.0.1:PORT/v1"; "/chat/completions" is added
 * @model:    name of the model; NULL: ""
 * @loop:     borrowed, outlives the provider
 *
 * Returns: 0, -EINVAL, -ENOMEM.
 */
int openai_new(const char *base_url, const char *model, Loop *loop, Provider **ret_provider,
               Error *err);
