package providers

// ObjectKind is what an object is that a provider keeps for its account.
type ObjectKind string

// The kinds of stored objects.
const (
	ObjectFile          ObjectKind = "file"
	ObjectBatch         ObjectKind = "batch"
	ObjectUpload        ObjectKind = "upload"
	ObjectVectorStore   ObjectKind = "vector_store"
	ObjectFileBatch     ObjectKind = "file_batch" // of a vector store
	ObjectResponse      ObjectKind = "response"
	ObjectConversation  ObjectKind = "conversation"
	ObjectContainer     ObjectKind = "container"
	ObjectCachedContent ObjectKind = "cached_content"
)
