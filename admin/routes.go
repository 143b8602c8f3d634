package admin

import (
	"net/http"

	"github.com/aistrale/aistrale/policy"
)

// routes is the API's table of contents.
func (a *api) routes() []route { //nolint:funlen // it is one flat list, to be read as such
	const get, post, put, patch, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	return []route{
		create("/session", "", "sign in with a password", a.openSession),
		elsewhere(at(get, "/session/oidc", "", "sign in at the identity provider: sends the browser there", a.beginOIDC)),
		anyQuery(at(get, "/session/oidc/callback", "", "where the identity provider sends the browser back", a.endOIDC)),
		at(remove, "/session", policy.SessionsClose, "sign out", a.closeSession),

		at(get, "/me", policy.MeRead, "who one is, and what one may do", a.me),
		at(post, "/me/password", policy.MePassword, "change one's password", a.changePassword),
		at(get, "/me/tokens", policy.TokensOwn, "list one's API tokens", a.listMyTokens),
		create("/me/tokens", policy.TokensOwn, "make an API token", a.createToken),
		at(remove, "/me/tokens/{id}", policy.TokensOwn, "revoke one of one's API tokens", a.revokeMyToken),

		at(get, "/users", policy.UsersRead, "list users", a.listUsers),
		create("/users", policy.UsersWrite, "make a user", a.createUser),
		at(get, "/users/{name}", policy.UsersRead, "show a user", a.getUser),
		at(patch, "/users/{name}", policy.UsersWrite, "change a user", a.changeUser),
		at(remove, "/users/{name}", policy.UsersWrite, "remove a user", a.removeUser),

		at(get, "/tokens", policy.TokensRead, "list everybody's API tokens", a.listTokens),
		at(remove, "/tokens/{id}", policy.TokensWrite, "revoke an API token", a.revokeToken),

		at(get, "/workspaces", policy.MeRead, "list the workspaces that one may see", a.listWorkspaces),
		create("/workspaces", policy.WorkspacesWrite, "make a workspace", a.createWorkspace),
		at(get, "/workspaces/{workspace}", policy.WorkspacesRead, "show a workspace", a.getWorkspace),
		at(put, "/workspaces/{workspace}", policy.WorkspacesWrite, "say anew what is said of a workspace", a.changeWorkspace),
		at(remove, "/workspaces/{workspace}", policy.WorkspacesWrite, "remove a workspace to which nothing belongs", a.removeWorkspace),

		at(get, "/projects", policy.ProjectsRead, "list projects", a.listProjects),
		create("/projects", policy.ProjectsWrite, "make a project", a.createProject),
		at(get, "/projects/{name}", policy.ProjectsRead, "show a project", a.getProject),
		at(put, "/projects/{name}", policy.ProjectsWrite, "say anew what is said of a project", a.changeProject),
		at(remove, "/projects/{name}", policy.ProjectsWrite, "remove a project to which nothing belongs", a.removeProject),

		at(get, "/keys", policy.KeysRead, "list virtual keys", a.listKeys),
		create("/keys", policy.KeysOwn, "make a virtual key", a.createKey),
		at(get, "/keys/{id}", policy.KeysRead, "show a virtual key", a.getKey),
		at(patch, "/keys/{id}", policy.KeysOwn, "change a virtual key", a.changeKey),
		at(post, "/keys/{id}/rotate", policy.KeysOwn, "give a virtual key a new text", a.rotateKey),
		at(remove, "/keys/{id}", policy.KeysOwn, "revoke a virtual key", a.revokeKey),

		at(get, "/requests", policy.RequestsRead, "list requests, the newest first", a.listRequests),
		at(get, "/requests/{id}", policy.RequestsRead, "explain a request: its attempts, what limits and prices said, every place it might have gone to", a.getRequest),
		at(get, "/requests/{id}/payload", policy.PayloadsRead, "read what a request asked and was answered, where that is kept", a.getPayload),
		at(post, "/payloads/erase", policy.PayloadsErase, "erase what is kept of a user", a.erasePayloads),
		at(get, "/webhooks", policy.WebhooksRead, "list webhooks", a.listWebhooks),
		create("/webhooks", policy.WebhooksWrite, "make a webhook", a.createWebhook),
		at(get, "/webhooks/{id}", policy.WebhooksRead, "show a webhook", a.getWebhook),
		at(patch, "/webhooks/{id}", policy.WebhooksWrite, "change a webhook", a.changeWebhook),
		at(post, "/webhooks/{id}/rotate", policy.WebhooksWrite, "give a webhook a new secret", a.rotateWebhook),
		create("/webhooks/{id}/test", policy.WebhooksWrite, "send a webhook a test", a.testWebhook),
		at(remove, "/webhooks/{id}", policy.WebhooksWrite, "remove a webhook", a.removeWebhook),
		at(get, "/webhooks/{id}/deliveries", policy.WebhooksRead, "list a webhook's deliveries, the newest first", a.listDeliveries),
		at(get, "/webhooks/{id}/deliveries/{delivery}", policy.WebhooksRead, "show a delivery and its attempts", a.getDelivery),
		at(post, "/webhooks/{id}/deliveries/{delivery}/resend", policy.WebhooksWrite, "send a delivery again", a.resendDelivery),
		at(get, "/prompts", policy.PromptsRead, "list prompts", a.listPrompts),
		create("/prompts", policy.PromptsWrite, "make a prompt, still without a version", a.createPrompt),
		at(get, "/prompts/{name}", policy.PromptsRead, "show a prompt", a.getPrompt),
		at(patch, "/prompts/{name}", policy.PromptsWrite, "describe a prompt anew", a.changePrompt),
		at(remove, "/prompts/{name}", policy.PromptsWrite, "remove a prompt with all its versions", a.removePrompt),
		at(get, "/prompts/{name}/versions", policy.PromptsRead, "list a prompt's versions, the oldest first", a.listPromptVersions),
		create("/prompts/{name}/versions", policy.PromptsWrite, "make a prompt's next version", a.createPromptVersion),
		at(get, "/prompts/{name}/versions/{version}", policy.PromptsRead, "show a version of a prompt", a.getPromptVersion),
		at(get, "/prompts/{name}/diff", policy.PromptsRead, "compare two versions of a prompt", a.diffPrompt),
		at(get, "/prompts/{name}/labels/{label}", policy.PromptsRead, "show what a label of a prompt stands for", a.getPromptLabel),
		at(put, "/prompts/{name}/labels/{label}", policy.PromptsWrite, "have a label of a prompt stand for other versions", a.movePromptLabel),
		at(remove, "/prompts/{name}/labels/{label}", policy.PromptsWrite, "remove a label of a prompt", a.removePromptLabel),
		at(post, "/prompts/{name}/render", policy.PromptsRead, "fill in a prompt's variables, and call nobody", a.renderPrompt),
		at(get, "/credentials", policy.CredentialsRead, "list providers' credentials, masked", a.listCredentials),
		create("/credentials", policy.CredentialsWrite, "add a provider's credential", a.createCredential),
		at(get, "/credentials/{name}", policy.CredentialsRead, "show a provider's credential, masked", a.getCredential),
		at(patch, "/credentials/{name}", policy.CredentialsWrite, "change a provider's credential", a.changeCredential),
		at(remove, "/credentials/{name}", policy.CredentialsWrite, "remove a provider's credential", a.removeCredential),
		at(post, "/credentials/{name}/test", policy.CredentialsTest, "try a credential at its provider", a.testCredential).everyTime(),

		at(get, "/usage", policy.UsageRead, "sum what was used and what it cost", a.listUsage),
		at(get, "/usage/top", policy.UsageRead, "list who has most of something", a.topUsage),
		at(get, "/usage/errors", policy.UsageRead, "count what went wrong, by kind", a.usageErrors),
		at(get, "/usage/forecast", policy.UsageRead, "forecast the cost to the end of a period", a.forecast),
		at(get, "/usage/anomalies", policy.UsageRead, "find hours that are unlike those of the weeks before", a.anomalies),
		at(get, "/usage/export", policy.UsageRead, "export sums as CSV or JSON", a.exportUsage).as("text/csv", "application/json"),
		at(get, "/usage/rows", policy.RequestsRead, "export every attempt as CSV or JSON, the oldest first", a.exportRows).as("text/csv", "application/json"),

		at(get, "/encryption-keys", policy.EncryptionRead, "list encryption keys, and how far a rotation is", a.listEncryptionKeys),
		at(post, "/encryption-keys/rotate", policy.EncryptionRotate, "make a new data key, under which everything is sealed anew", a.rotateEncryptionKeys),
		at(post, "/encryption-keys/rewrap", policy.EncryptionRotate, "have data keys wrapped by the master key of now", a.rewrapEncryptionKeys).everyTime(),

		at(get, "/log", policy.LogRead, "show what is logged beside the configuration's word", a.getLog),
		at(put, "/log", policy.LogWrite, "have all nodes log from another level on, for a time", a.setLogLevel),
		at(remove, "/log", policy.LogWrite, "have log_level hold again", a.resetLogLevel),
		at(put, "/log/keys/{id}", policy.LogWrite, "log each step of a key's calls, for a time", a.debugKey),
		at(remove, "/log/keys/{id}", policy.LogWrite, "log a key's calls like all others again", a.undebugKey),
		at(get, "/profiles", policy.ProfilesTake, "list the profiles of the process", a.listProfiles),
		at(get, "/profiles/{name}", policy.ProfilesTake, "take a profile of the process", a.takeProfile).as("application/octet-stream", "text/plain"),
		at(get, "/health", policy.HealthRead, "say how the parts of the gateway do", a.health),

		at(get, "/audit", policy.AuditRead, "list the audit log, the newest record first", a.listAudit),
		at(get, "/audit/export", policy.AuditRead, "export the audit log as JSON lines, with its checkpoints", a.exportAudit).as("application/jsonl"),
		at(get, "/audit/key", policy.AuditRead, "show the key that verifies checkpoints", a.auditKey),
		at(get, "/audit/checkpoints", policy.AuditRead, "list checkpoints, the newest first", a.listCheckpoints),
		create("/audit/checkpoints", policy.AuditCheckpoint, "make a checkpoint of the audit log as it stands", a.makeCheckpoint),
	}
}
