package storage

import "errors"

// What every store says, wrapped with the noun and its name.
var (
	// ErrNotFound is wrapped where no such row exists.
	ErrNotFound = errors.New("not found")
	// ErrExists is wrapped where the name or the id is taken.
	ErrExists = errors.New("already exists")
)

// ErrLedgerUnavailable is wrapped where a record cannot be kept now but may be later: the
// database cannot be reached, or the journal's disk is full or failing.
var ErrLedgerUnavailable = errors.New("the ledger is not available")

// Why a key or an admin token that matches is refused all the same.
var (
	ErrRevoked = errors.New("revoked")
	ErrExpired = errors.New("expired")
)

// What sealing and opening say.
var (
	// ErrNoMasterKey is wrapped where something is to be sealed or opened without a master key.
	ErrNoMasterKey = errors.New("no master key: set AISTRALE_MASTER_KEY (32 bytes, base64), AISTRALE_MASTER_KEY_FILE or encryption.vault")
	// ErrWrongMasterKey is wrapped where a data key was wrapped by another master key. Nothing
	// is lost: the row opens again under the key that wrapped it.
	ErrWrongMasterKey = errors.New("wrong master key: AISTRALE_MASTER_KEY, AISTRALE_MASTER_KEY_FILE or encryption.vault is not the key this store was sealed with")
	// ErrSealBroken is wrapped where a sealed value was changed, or belongs to another row or
	// another upstream address.
	ErrSealBroken = errors.New("the sealed value is damaged, or belongs to another row or address")
)
