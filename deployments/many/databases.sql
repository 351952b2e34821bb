-- Tidegate's own database beside Prefect's.
CREATE DATABASE tidegate;
