-- +goose Up

-- A contact is written anew, properties and all, whenever one of them changes or another engine comes to hold it. With room for
-- that in its page, no index has to learn of it. Pages that there are get it as they are written anew.
alter table bucketgen.contacts set (fillfactor = 70);
