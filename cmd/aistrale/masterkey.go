package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aistrale/aistrale/storage"
)

const (
	masterKeyEnv     = "AISTRALE_MASTER_KEY"
	masterKeyFileEnv = "AISTRALE_MASTER_KEY_FILE"
	masterKeyName    = "master.key" // in the data folder, developer mode only

	// The master key that the one above replaces.
	oldMasterKeyEnv     = "AISTRALE_MASTER_KEY_OLD"
	oldMasterKeyFileEnv = "AISTRALE_MASTER_KEY_OLD_FILE"
)

// loadMasterKey finds the key-encryption key, and the one before it where that is given too: it
// still unwraps, and wraps nothing.
func loadMasterKey(getenv func(string) string, config *Config) (storage.KeyWrapper, error) {
	key, err := loadNewMasterKey(getenv, config)
	if err != nil {
		return nil, err
	}
	old, err := loadOldMasterKey(getenv, &config.Encryption.VaultOld)
	if old == nil || err != nil {
		return key, err
	}
	return storage.Succession{New: key, Old: old}, nil
}

// loadOldMasterKey gives nil where there is none.
func loadOldMasterKey(getenv func(string) string, vault *VaultConfig) (storage.KeyWrapper, error) {
	text, file := getenv(oldMasterKeyEnv), getenv(oldMasterKeyFileEnv)
	switch {
	case text != "" && file != "":
		return nil, fmt.Errorf("%s and %s are both set: leave one", oldMasterKeyEnv, oldMasterKeyFileEnv)
	case vault.Address != "" && text+file != "":
		return nil, fmt.Errorf("encryption.vault_old and %s are both set: leave one", oldMasterKeyEnv)
	case vault.Address != "":
		return vault.wrapper()
	case text != "":
		return parseMasterKey(oldMasterKeyEnv, storage.NewSecret(text))
	case file != "":
		return readMasterKey(oldMasterKeyFileEnv, file)
	}
	return nil, nil
}

// loadNewMasterKey finds the key-encryption key: in Vault, in the environment, in the file that the
// environment names, or, in developer mode only, in the data folder, where it is made when it is
// missing. Elsewhere it gives no wrapper and an error that wraps storage.ErrNoMasterKey; that is
// no trouble for a gateway which neither seals nor opens anything.
func loadNewMasterKey(getenv func(string) string, config *Config) (storage.KeyWrapper, error) {
	text, file := getenv(masterKeyEnv), getenv(masterKeyFileEnv)
	own := filepath.Join(config.DataDir, masterKeyName)
	vault := &config.Encryption.Vault
	switch {
	case text != "" && file != "":
		return nil, fmt.Errorf("%s and %s are both set: leave one", masterKeyEnv, masterKeyFileEnv)
	case vault.Address != "" && text+file != "":
		return nil, fmt.Errorf("encryption.vault and %s are both set: leave one; a master key that Vault replaces is %s", masterKeyEnv, oldMasterKeyEnv)
	case vault.Address != "":
		return vault.wrapper()
	case text != "":
		return parseMasterKey(masterKeyEnv, storage.NewSecret(text))
	case file != "":
		return readMasterKey(masterKeyFileEnv, file)
	case config.Developer:
		if err := makeMasterKey(own); err != nil {
			return nil, fmt.Errorf("data_dir: %w", err)
		}
		return readMasterKey("data_dir", own)
	}
	if _, err := os.Stat(own); err == nil {
		return nil, fmt.Errorf("%w (developer mode's is %s)", storage.ErrNoMasterKey, own)
	}
	return nil, storage.ErrNoMasterKey
}

// parseMasterKey names the knob in its error, and returns no typed nil.
func parseMasterKey(knob string, text storage.Secret) (storage.KeyWrapper, error) {
	key, err := storage.ParseMasterKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", knob, err)
	}
	return key, nil
}

func readMasterKey(knob, path string) (storage.KeyWrapper, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", knob, err)
	}
	return parseMasterKey(knob+": "+path, storage.NewSecret(string(text)))
}

// makeMasterKey makes the file where there is none. It appears whole and only once, whoever else
// starts at the same time: a half-written or replaced master key would cost every credential.
func makeMasterKey(path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, masterKeyName+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(storage.NewMasterKey().Reveal() + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes a new name in a folder outlive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
